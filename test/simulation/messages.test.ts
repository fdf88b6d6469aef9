import { describe, expect, it } from 'vitest';
import { type MessageSource, makeMessage, messageTypes, typeOf } from '../../src/simulation/messages.ts';
import { maskDigits } from '../../src/telemetry/card-number-mask.ts';

const source: MessageSource = { seed: 7, format: 'json', began: new Date('2026-01-31T23:59:59Z') };
const first = { index: 0, attempt: 0, offset: 0 };

/** Runs of 13 to 19 digits in a row that have a valid check digit (ISO/IEC 7812-1). */
function cardNumbers(text: string): string[] {
  const found: string[] = [];
  for (const [run] of text.matchAll(/\d{13,}/g))
    for (let at = 0; at + 13 <= run.length; at += 1)
      for (let length = 13; length <= 19 && at + length <= run.length; length += 1)
        if (isLuhnValid(run.slice(at, at + length))) found.push(run.slice(at, at + length));
  return found;
}

function isLuhnValid(digits: string): boolean {
  const sum = [...digits].toReversed().reduce((total, digit, place) => {
    const value = Number(digit) * (place % 2 === 1 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

function bodies(format: 'json' | 'soap', seeds: number, count: number): string[] {
  return Array.from({ length: seeds }, (_, seed) =>
    Array.from({ length: count }, (_, index) => {
      const offset = index * 1_234_567;
      return makeMessage({ ...source, format, seed: seed * 7919 }, { index, attempt: index % 6, offset })
        .body;
    }),
  ).flat();
}

describe('a message', () => {
  it.each(['json', 'soap'] as const)('contains no card number, as %s', (format) => {
    const texts = bodies(format, 20, 1000);
    expect(texts.flatMap(cardNumbers)).toEqual([]);
    // Stricter: no thirteen digits at all, not even with separators between them.
    expect(texts.filter((text) => maskDigits(text) !== text)).toEqual([]);
  });

  it('would be found to contain a card number', () => {
    const body = bodies('json', 1, 1)[0] as string;
    expect(cardNumbers(body.replace('EXA', 'EXA 4111111111111111'))).toContain('4111111111111111');
  });

  it('is ASCII, so that its length in characters is its Content-Length', () => {
    for (const format of ['json', 'soap'] as const)
      for (const body of bodies(format, 2, 200)) expect(Buffer.byteLength(body)).toBe(body.length);
  });

  it('is the same again for the same seed, and another one for another seed or index', () => {
    const { body } = makeMessage(source, first);
    expect(makeMessage(source, first).body).toBe(body);
    expect(makeMessage({ ...source, seed: 8 }, first).body).not.toBe(body);
    expect(makeMessage(source, { ...first, index: 1 }).body).not.toBe(body);
  });

  it('differs between its attempts in SendingAttemptCount alone', () => {
    const index = messageIndex('authorisation');
    const at = (attempt: number) => JSON.parse(makeMessage(source, { index, attempt, offset: 50 }).body);
    expect(at(0).SendingAttemptCount).toBe(0);
    expect(at(3)).toEqual({ ...at(0), SendingAttemptCount: 3 });
  });

  it('has an id that no other message of the simulation has', () => {
    const ids = Array.from({ length: 5000 }, (_, index) => makeMessage(source, { ...first, index }).id);
    expect(new Set(ids).size).toBe(5000);
  });

  it('in SOAP has a quoted SOAPAction with the operation of its body', () => {
    const soap = { ...source, format: 'soap' } as const;
    const transaction = makeMessage(soap, { ...first, index: messageIndex('presentment') });
    expect(transaction.soapAction).toBe('"http://tempuri.org/GetTransaction"');
    expect(transaction.body).toContain('<GetTransaction xmlns="http://tempuri.org/">');
    expect(transaction.body).toContain('<SendingAttemptCount>0</SendingAttemptCount>');
    const cutOff = makeMessage(soap, { ...first, index: messageIndex('cut-off') });
    expect(cutOff.soapAction).toBe('"http://tempuri.org/Cut_Off"');
    expect(cutOff.body).toContain('<Cut_Off xmlns="http://tempuri.org/"><CutOffId>');
    expect(makeMessage(source, first).soapAction).toBeNull();
  });

  it('is of every type, authorisations most often', () => {
    const counts = new Map(messageTypes.map((type) => [type, 0]));
    for (let index = 0; index < 10_000; index += 1) {
      const { type } = makeMessage(source, { ...first, index });
      expect(type).toBe(typeOf(source.seed, index));
      counts.set(type, (counts.get(type) ?? 0) + 1);
    }
    const shares = messageTypes.map((type) => Math.round((counts.get(type) ?? 0) / 1000) / 10);
    expect(shares).toEqual([0.6, 0.3, 0.1, 0]);
    expect(counts.get('cut-off')).toBeGreaterThan(50);
  });
});

function messageIndex(type: string): number {
  for (let index = 0; ; index += 1) if (typeOf(source.seed, index) === type) return index;
}
