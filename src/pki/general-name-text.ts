/** Directory names in the text form of general names (`readGeneralNames`), for code that compares them without ASN.1. */

/** A directory name (canonical text) as a general name. */
export function directory(canonical: string): string {
  return `a4:${canonical}`;
}

/** The directory names among general names, as canonical text. */
export function directoriesAmong(names: readonly string[]): string[] {
  return names
    .filter((name) => name.startsWith(directory('')))
    .map((name) => name.slice(directory('').length));
}
