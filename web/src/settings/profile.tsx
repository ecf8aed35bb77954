// `/settings/profile`: one's address, and what one is called.

import { useEffect, useState } from "preact/hooks";
import { Field, SubmitButton, Summary, useSubmit } from "../account/form.tsx";
import { duet, user } from "../duet.ts";
import { Loading } from "../ui/loading.tsx";
import { Email } from "./email.tsx";
import { Frame } from "./frame.tsx";

export function Profile() {
  const account = user.value;
  const [name, setName] = useState<string>();
  const [saved, setSaved] = useState(false);
  useEffect(() => setSaved(false), [name]);
  const value = name ?? account?.displayName ?? "";
  const submit = useSubmit(
    () => [],
    async () => {
      const { user: now } = await duet.account.updateUser({
        user: { displayName: value },
        updateMask: { paths: ["display_name"] },
      });
      user.value = now;
      setSaved(true);
    },
  );
  return (
    <Frame title="Profile">
      {!account && <Loading />}
      <Email />
      <form novalidate onSubmit={submit.onSubmit}>
        <Summary submit={submit} />
        <Field
          name="user.display_name"
          label="Name"
          autoComplete="name"
          value={value}
          onInput={setName}
          faults={submit.faults}
        />
        <SubmitButton text="Save" submit={submit} />
        <p role="status" class="said">
          {saved && "Saved."}
        </p>
      </form>
    </Frame>
  );
}
