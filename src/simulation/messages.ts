/** EHI messages as Thredd sends them: which one is next, its body, and its HTTP request. */
import { Random } from './random.ts';
import { cutOffFields, type Fields, type MessageType, transactionFields } from './transaction.ts';

/** `soap`: SOAP 1.1 in XML. */
export type MessageFormat = 'json' | 'soap';

/** How often each type occurs in a hundred messages. */
const mix: readonly (readonly [type: MessageType, share: number])[] = [
  ['authorisation', 60],
  ['presentment', 29],
  ['reversal', 10],
  ['cut-off', 1],
];

export const messageTypes = mix.map(([type]) => type);

/** Ids of one simulation are consecutive and have ten digits, as EHI's have. */
const firstId = 1_000_000_000;
const idRange = 8_000_000_000;

export interface MessageSource {
  readonly seed: number;
  readonly format: MessageFormat;
  /** Of the first message. */
  readonly began: Date;
}

export interface Message {
  readonly type: MessageType;
  /** TXn_ID or CutOffId; all attempts of one message have the same. */
  readonly id: number;
  /** ASCII. */
  readonly body: string;
  /** With its quotes, which are part of the value; null: not SOAP. */
  readonly soapAction: string | null;
}

export interface MessageOptions {
  /** Of the message, from 0. */
  readonly index: number;
  /** How many times it was sent before. */
  readonly attempt: number;
  /** Milliseconds after `began`. */
  readonly offset: number;
}

/** Always the same for the same source and options. */
export function makeMessage(source: MessageSource, { index, attempt, offset }: MessageOptions): Message {
  const { seed, format, began } = source;
  const random = new Random(seed, index);
  const type = typeAt(random.below(100));
  const id = firstId + ((new Random(seed, -1).below(idRange) + index) % idRange);
  const at = new Date(began.getTime() + Math.round(offset));
  const fields =
    type === 'cut-off'
      ? cutOffFields({ id, random, at })
      : transactionFields({ type, id, random, at, attempt });
  if (format === 'json') return { type, id, body: JSON.stringify(fields), soapAction: null };
  const operation = type === 'cut-off' ? 'Cut_Off' : 'GetTransaction';
  return { type, id, body: envelope(operation, fields), soapAction: `"${namespace}${operation}"` };
}

/** The type that message `index` has, without making the message. */
export function typeOf(seed: number, index: number): MessageType {
  return typeAt(new Random(seed, index).below(100));
}

function typeAt(point: number): MessageType {
  let passed = 0;
  for (const [type, share] of mix) {
    passed += share;
    if (point < passed) return type;
  }
  return 'authorisation';
}

const namespace = 'http://tempuri.org/';

/** No value has a character that XML escapes. */
function envelope(operation: string, fields: Fields): string {
  const elements = Object.entries(fields).map(([name, value]) => `<${name}>${value}</${name}>`);
  return `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><${operation} xmlns="${namespace}">${elements.join('')}</${operation}></soap:Body></soap:Envelope>`;
}
