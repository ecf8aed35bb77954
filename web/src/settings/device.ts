// What to call a device, from what its program called itself at sign-in.

const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/^duet\b/i, "Duet command line"],
  [/^grpcurl/i, "grpcurl"],
  [/\bEdg(e|A|iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\b(Firefox|FxiOS)\//, "Firefox"],
  [/\b(Headless)?Chrom(e|ium)\/|\bCriOS\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\b(iPhone|iPad|iOS)\b/, "iOS"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
];

export function deviceName(userAgent: string): string {
  const find = (known: typeof PROGRAMS): string | undefined =>
    known.find(([pattern]) => pattern.test(userAgent))?.[1];
  const [program, system] = [find(PROGRAMS), find(SYSTEMS)];
  if (program && system) return `${program} on ${system}`;
  // A program that nobody listed is best known by its own first word.
  return program ?? system ?? (userAgent.split(/[\s/]/)[0] || "Unknown device");
}
