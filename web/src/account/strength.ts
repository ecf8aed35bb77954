// A first guess at how hard a password is to guess, while it is being typed.
// The service judges with far more knowledge; this only spares a round.

export type Strength = "too short" | "weak" | "fair" | "good" | "strong";

/** The fewest characters that the service takes. */
const SHORTEST = 8;

/** `known` is what an attacker would try first: the e-mail, the name. */
export function strengthOf(password: string, known: readonly string[]): Strength {
  const characters = [...password];
  if (characters.length < SHORTEST) return "too short";
  const bits = variety(characters) * Math.log2(alphabet(password)) - familiar(password, known);
  if (bits < 28) return "weak";
  if (bits < 40) return "fair";
  return bits < 56 ? "good" : "strong";
}

/** Characters that are not simply the one before again, or the next to it. */
function variety(characters: readonly string[]): number {
  const fresh = characters.filter((character, i) => {
    const before = characters[i - 1]?.codePointAt(0) ?? -9;
    return Math.abs((character.codePointAt(0) ?? 0) - before) > 1;
  });
  return Math.min(fresh.length, new Set(characters).size * 2);
}

/** How many characters one would have to try at each place. */
function alphabet(password: string): number {
  let size = 0;
  if (/[a-z]/.test(password)) size += 26;
  if (/[A-Z]/.test(password)) size += 26;
  if (/[0-9]/.test(password)) size += 10;
  if (/[^a-zA-Z0-9]/.test(password)) size += 32;
  return size;
}

/** What parts that are known, or stand on every list, take off. */
function familiar(password: string, known: readonly string[]): number {
  const lower = password.toLowerCase();
  const parts = known.flatMap((text) => text.toLowerCase().split(/[^a-z0-9]+/));
  const usual = ["password", "qwert", "letmein", "welcome", "duet", "1234", "abc"];
  const found = [...parts, ...usual].filter((part) => part.length > 2 && lower.includes(part));
  return found.reduce((taken, part) => taken + part.length * 4, 0);
}
