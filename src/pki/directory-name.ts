/** Directory names among general names, as text that is compared without any ASN.1 (distribution-point.ts). */

/** How a directory name is told among general names. */
export function directory(canonical: string): string {
  return `a4:${canonical}`;
}

/** The directory names among general names, as canonical text. */
export function directoriesAmong(names: readonly string[]): string[] {
  return names
    .filter((name) => name.startsWith(directory('')))
    .map((name) => name.slice(directory('').length));
}
