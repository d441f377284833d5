/** What both stories in TypeScript need: arguments, an image, and a way to insist. */

declare const process: { argv: string[] };

export const [origin, password] = process.argv.slice(2) as [string, string];
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

export function image(): Blob {
  return new Blob([Uint8Array.from(atob(PNG), (one) => one.charCodeAt(0))], { type: "image/png" });
}

export function equal(found: unknown, wanted: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
  }
}
