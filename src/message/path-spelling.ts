/** Brings the spellings of a path that some hosts do not distinguish to one form, by which the demands of a route are found. */

/** A path that differs from its own form has one of these characters. */
const unusual = /[%;A-Z]/;

/** request-target.ts refuses paths that are percent-encoded more often and hide a separator. */
const MAX_DECODINGS = 4;

/**
 * As a host may read it that decodes percent-encoding (RFC 3986 §6.2.2.2), even twice, removes parameters of segments
 * (`;x`), and ignores case. `path`: a parsed request path. The result is for comparison alone and is never sent.
 */
export function plainPath(path: string): string {
  if (!unusual.test(path)) return path;
  let text = path;
  for (let time = 0; time < MAX_DECODINGS && text.includes('%'); time++)
    text = text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  // A segment that had parameters alone is empty, and the slashes around it count as one.
  const segments = text.split('/').map((segment) => segment.split(';', 1)[0] ?? '');
  const plain = segments.filter((segment, index) => index === 0 || segment !== '').join('/');
  return plain === '' ? '/' : plain.toLowerCase();
}
