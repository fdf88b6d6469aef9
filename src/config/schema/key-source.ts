/** A JSON Web Key Set, fetched from a URL or read from a file. */
import type { z } from 'zod';
import { duration, file, mapping } from './field-types.ts';
import * as format from './formats.ts';

/** How often a set is fetched from its URL. */
export const keyRefresh = duration()
  .prefault('1h')
  .describe('How often the set is fetched from its `uri`. A file is read again when it changes.');

const fields = (folder: string) => ({
  uri: format.anchorUrl
    .exactOptional()
    .describe('URL that the set is fetched from: HTTPS with a verified server, no redirects, at most 1 MiB.'),
  ca: file(folder)
    .exactOptional()
    .describe('PEM file: the CA of the server of `uri`. Absent: the root CAs that Node.js brings along.'),
  file: file(folder).exactOptional().describe('File with the set, instead of `uri`.'),
});

/** For a set whose `refresh` stands beside it. */
export function keySource(folder: string) {
  return mapping(fields(folder)).superRefine(exactlyOne);
}

/** For a set with a `refresh` of its own. */
export function refreshedKeySource(folder: string) {
  return mapping({ ...fields(folder), refresh: keyRefresh }).superRefine(exactlyOne);
}

/** Paths absolute; exactly one of `uri` and `file` is set. */
export type KeySourceConfig = z.output<ReturnType<typeof keySource>>;

function exactlyOne(
  { uri, file: path, ca }: { readonly uri?: string; readonly file?: string; readonly ca?: string },
  context: z.core.$RefinementCtx,
): void {
  const refuse = (at: string[], message: string) => context.addIssue({ code: 'custom', path: at, message });
  if ((uri === undefined) === (path === undefined)) refuse([], 'exactly one of uri and file');
  if (ca !== undefined && uri === undefined) refuse(['ca'], 'ca beside uri');
}
