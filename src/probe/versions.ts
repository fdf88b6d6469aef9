/** The protocol versions and their codes on the wire. */

export const versionCodes = {
  'SSL 3.0': 0x0300,
  'TLS 1.0': 0x0301,
  'TLS 1.1': 0x0302,
  'TLS 1.2': 0x0303,
  'TLS 1.3': 0x0304,
} as const;

export type VersionName = keyof typeof versionCodes;

/** The oldest first. */
export const versionNames = Object.keys(versionCodes) as readonly VersionName[];

/** null: none of them. */
export function versionName(code: number): VersionName | null {
  return versionNames.find((name) => versionCodes[name] === code) ?? null;
}
