/** Sends a message with a client certificate, once as it is, then with `Expect: 100-continue`. */
import { UsageError } from '../errors.ts';
import { readLimited } from '../terminal/limited-input.ts';
import { printable } from '../terminal/printable.ts';
import { type Attempt, type AttemptOptions, attempt } from './attempt.ts';
import type { MessageBody } from './exchange.ts';

export interface MessageFacts {
  readonly plain: Attempt;
  /** At least one. */
  readonly continued: readonly Attempt[];
}

/** One slow interim response may be a coincidence. */
const continueTries = 3;

export async function measureMessage(options: AttemptOptions): Promise<MessageFacts> {
  const plain = await attempt(options);
  const continued: Attempt[] = [];
  for (let index = 0; index < continueTries; index++)
    continued.push(await attempt({ ...options, expectContinue: true }));
  return { plain, continued };
}

/**
 * A balance enquiry over nothing, with the field names of Thredd's EHI guide. No value can be a card number, a token of a
 * real card, or an amount that a host would book.
 */
const harmless = {
  MTID: '0100',
  Txn_Type: 'A',
  Txn_Stat_Code: 'A',
  Proc_Code: '310000',
  TXn_ID: 0,
  Token: '0',
  Txn_Amt: '0.00',
  Txn_CCy: '826',
  Bill_Amt: '0.00',
  Bill_Ccy: '826',
  Merch_Name_DE43: 'EHI-GATEWAY DOCTOR',
  Note: 'test message of ehi-gateway doctor',
  SendingAttemptCount: '0',
};

export function harmlessMessage(): MessageBody {
  return { bytes: Buffer.from(JSON.stringify(harmless)), headers: { 'Content-Type': 'application/json' } };
}

const maxMessage = 1024 * 1024;

/** JSON, or SOAP if it begins like XML. Throws UsageError. */
export async function readMessage(file: string): Promise<MessageBody> {
  const bytes = await readLimited(file, maxMessage).catch((cause: NodeJS.ErrnoException) => {
    throw new UsageError(`--data: ${printable(file)} cannot be read (${cause.code ?? 'unknown'})`, cause);
  });
  if (bytes === null || bytes.length === 0)
    throw new UsageError(`--data: found ${bytes === null ? 'more' : 0} bytes; allowed 1 to ${maxMessage}`);
  const isXml = /^(?:\xef\xbb\xbf)?\s*</.test(bytes.toString('latin1', 0, 64));
  const headers = isXml
    ? { 'Content-Type': 'application/xml', SOAPAction: '"http://tempuri.org/GetTransaction"' }
    : { 'Content-Type': 'application/json' };
  return { bytes, headers };
}
