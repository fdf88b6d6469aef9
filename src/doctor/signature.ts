/** Sends a message without its signature, and with the signature of another body. */
import { UsageError } from '../errors.ts';
import { readInput } from '../terminal/input-file.ts';
import { printable } from '../terminal/printable.ts';
import { type Attempt, type AttemptOptions, attempt } from './attempt.ts';
import type { MessageBody } from './exchange.ts';

/** Fields by name, as they are sent beside the body that they sign. */
export type SignatureFields = Readonly<Record<string, string>>;

export interface SignatureFacts {
  readonly missing: Attempt;
  readonly altered: Attempt;
}

export function signedBody({ bytes, headers }: MessageBody, fields: SignatureFields): MessageBody {
  return { bytes, headers: { ...headers, ...fields } };
}

/** `client.body`: without the fields. */
export async function measureSignature(
  client: AttemptOptions,
  fields: SignatureFields,
): Promise<SignatureFacts> {
  const { bytes, headers } = client.body;
  // One space at the end changes what is signed, and nothing for a host that gets it all the same.
  const altered = signedBody({ bytes: Buffer.concat([bytes, Buffer.from(' ')]), headers }, fields);
  return { missing: await attempt(client), altered: await attempt({ ...client, body: altered }) };
}

/** Bytes; longer fields fit into no request head. */
const maxBytes = 16 * 1024;
const field = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}):[ \t]*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)[ \t]*$/;
/** The command writes these itself. */
const own =
  /^(?:host|user-agent|content-length|transfer-encoding|connection|expect|authorization|content-type|trailer|te|upgrade|keep-alive|proxy-.*|soapaction)$/i;
const allowed =
  'lines such as "X-Signature: …": the fields with the signature, its key id and its time, and no field that the command writes itself';

/** Each line is one field. Throws UsageError, which never has content of the file. */
export async function readSignatureFields(file: string): Promise<SignatureFields> {
  const bytes = await readInput(file, { option: '--signature-file', maxBytes });
  const fail = (found: string) =>
    new UsageError(`--signature-file ${printable(file)}: found ${found}; allowed ${allowed}`);
  const fields = new Map<string, readonly [name: string, value: string]>();
  const lines = bytes.toString('latin1').split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const [, name, value] = field.exec(line) ?? [];
    if (name === undefined || value === undefined || own.test(name))
      throw fail(`something else in line ${index + 1}`);
    if (fields.has(name.toLowerCase())) throw fail(`a second field of one name in line ${index + 1}`);
    fields.set(name.toLowerCase(), [name, value]);
  }
  if (fields.size === 0) throw fail('no field');
  return Object.fromEntries(fields.values());
}
