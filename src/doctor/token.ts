/** Sends a message without an access token, with an altered one, and with the token and another client certificate. */
import { UsageError } from '../errors.ts';
import { readInput } from '../terminal/input-file.ts';
import { printable } from '../terminal/printable.ts';
import { type Attempt, type AttemptOptions, attempt, type Identity } from './attempt.ts';

export interface TokenFacts {
  readonly missing: Attempt;
  readonly altered: Attempt;
  /** With another certificate; null: none was given. */
  readonly otherCertificate: Attempt | null;
}

/** `client`: with the token, and with the certificate that it is bound to. */
export async function measureToken(
  client: AttemptOptions & { readonly token: string },
  other: Identity | null,
): Promise<TokenFacts> {
  const { token, ...withoutToken } = client;
  return {
    missing: await attempt(withoutToken),
    altered: await attempt({ ...client, token: alteredToken(token) }),
    otherCertificate: other === null ? null : await attempt({ ...client, identity: other }),
  };
}

/**
 * The token with one other character in the middle of its last part: the signature of a JWT. The last character would not
 * do, because some of its bits mean nothing in base64url.
 */
function alteredToken(token: string): string {
  const start = token.lastIndexOf('.') + 1;
  const at = start + Math.floor((token.length - start) / 2);
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
}

/** Bytes; longer tokens fit into no request head. */
const maxToken = 16 * 1024;

/** `b64token` of RFC 6750 §2.1. */
const syntax = /^[A-Za-z0-9\-._~+/]+=*$/;

/** The token is the whole content, except white space around it. Throws UsageError, which never has content of the file. */
export async function readToken(file: string): Promise<string> {
  const bytes = await readInput(file, { option: '--token-file', maxBytes: maxToken });
  const token = bytes.toString('latin1').trim();
  if (syntax.test(token)) return token;
  throw new UsageError(
    `--token-file ${printable(file)}: found ${token === '' ? 'no token' : 'something else than one token'}; allowed the access token alone, without "Bearer"`,
  );
}
