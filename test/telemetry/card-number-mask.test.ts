import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskDigits } from '../../src/telemetry/card-number-mask.ts';

const card = '4111111111111111';

/** Every byte of `text` as `%xx`, `times` over. */
function encode(text: string, times: number): string {
  if (times === 0) return text;
  return encode(
    text.replace(/./gs, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`),
    times - 1,
  );
}

/** The same of characters beyond ASCII, as a URL holds them. */
function encodeUtf8(text: string, times: number): string {
  if (times === 0) return encodeURIComponent(text);
  return encode([...Buffer.from(text)].map((byte) => String.fromCharCode(byte)).join(''), times);
}

describe('a run of digits', () => {
  it.each([
    ['/card/4111111111111111/x', '/card/[digits]/x'],
    ['4111111111111', '[digits]'],
    ['411111111111', '411111111111'],
    ['12345678901234567890', '[digits]'],
    ['a1234567890123b1234567890123', 'a[digits]b[digits]'],
    ['1234-5678-9012-3456', '[digits]'],
    ['4111-1111-1111-1111', '[digits]'],
    ['/pan/3782 822463 10005/x', '/pan/[digits]/x'],
    ['4.1.1.1.1.1.1.1.1.1.1.1.1', '[digits]'],
    ['4111_1111+1111.1111-123', '[digits]'],
    ['4111\u00a01111\u20091111\u20111111', '[digits]'],
    ['4111%201111%201111%201111', '[digits]'],
    ['/4111%2D1111%2d1111%2e1111', '/[digits]'],
    ['/4111%25201111%25252D1111+1111/', '/[digits]/'],
    ['4111%C2%A01111%E2%80%911111%E2%80%831111', '[digits]'],
    ['%34111-%31111-1111-%25%33%31111', '[digits]'],
    [JSON.stringify('4111\t1111\n1111 1111'), '"[digits]"'],
    ['411-111-111-111', '411-111-111-111'],
    ['4111--1111--1111--1111', '4111--1111--1111--1111'],
    ['4111 - 1111 - 1111 - 1111', '4111 - 1111 - 1111 - 1111'],
    ['4111/1111/1111/1111', '4111/1111/1111/1111'],
    ['f123456789-1f.4', 'f123456789-1f.4'],
    ['signed by 1.2.840.113549.1.1.11', 'signed by 1.2.840.113549.1.1.11'],
    ['1.2.840.113549.4111.1111.1111.1111', '1.2.840.113549.[digits]'],
    ['%20and 1.2.840.113549.1.1.11', '%20and 1.2.840.113549.1.1.11'],
    ['connect ECONNREFUSED 192.168.100.200:8443', 'connect ECONNREFUSED 192.168.100.200:8443'],
    ['/%34111111111111111', '/[digits]'],
    ['/%34%31%31%31%31%31%31%31%31%31%31%31%31', '/[digits]'],
    ['/%34%31%31%31%31%31%31%31%31%31%31%31', '/%34%31%31%31%31%31%31%31%31%31%31%31'],
    ['/%2534111111111111', '/[digits]'],
    ['/%252534111111111111', '/[digits]'],
    ['/%25%33%34111111111111', '/[digits]'],
    ['/%%33%34111111111111', '/[digits]'],
    ['/%2f4111111111111111/', '/%2f[digits]/'],
    ['/4111111111111111%2Fx', '/[digits]Fx'],
    ['/%204111111111111111', '/[digits]'],
    ['%20%20%20%20%20%20', '%20%20%20%20%20%20'],
    ['%E2%82%AC/2024-01-01T00:00:00.000Z', '%E2%82%AC/2024-01-01T00:00:00.000Z'],
    ['%%%%%%%%%%%%%%', '%%%%%%%%%%%%%%'],
    ['', ''],
  ])('%s becomes %s', (text, masked) => {
    expect(maskDigits(text)).toBe(masked);
  });

  it('is masked behind up to three encodings, at any position and with any digits encoded', () => {
    const around = fc.string({ unit: fc.constantFrom(...'/ab-%2F50'), maxLength: 8 });
    const digit = fc.tuple(fc.constantFrom(...'0123456789'), fc.nat(3));
    const digits = fc.array(digit, { minLength: 13, maxLength: 19 });
    fc.assert(
      fc.property(around, digits, around, (before, run, after) => {
        const hidden = run.map(([char, times]) => encode(char, times)).join('');
        // A percent sign or a digit before the run may take the run's first digits for itself.
        const masked = maskDigits(`${before}/${hidden}/${after}`);
        expect(masked).toContain('/[digits]/');
        expect(decodeAll(masked)).not.toMatch(/[0-9]{13}/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is masked with any single separators in it, encoded or not', () => {
    const gap = fc.constantFrom(
      '',
      '',
      ' ',
      '-',
      '.',
      '_',
      '+',
      '\t',
      '\u00a0',
      '\u2007',
      '\u202f',
      '\u2010',
      '\u2212',
    );
    const digit = fc.tuple(fc.constantFrom(...'0123456789'), gap, fc.nat(2));
    const digits = fc.array(digit, { minLength: 13, maxLength: 19 });
    fc.assert(
      fc.property(digits, fc.boolean(), (run, inUrl) => {
        const hidden = run.map(([char, separator, times], index) => {
          const after = index === run.length - 1 ? '' : separator;
          return inUrl ? `${encode(char, times)}${encodeUtf8(after, times)}` : `${char}${after}`;
        });
        expect(maskDigits(`/x/${hidden.join('')}/y`)).toBe('/x/[digits]/y');
      }),
      { numRuns: 3_000 },
    );
  });

  it('is never left in any text', () => {
    const unit = fc.constantFrom(
      ...['%', '2', '5', '3', '4', '%25', '%34', '%33', card, '/', 'F', '-', '%2', '%2D', 'D'],
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 60 }), (text) => {
        expect(maskDigits(text)).not.toMatch(/[0-9]{13}/);
        expect(decodeAll(maskDigits(text))).not.toMatch(/[0-9](-?[0-9]){12}/);
      }),
      { numRuns: 5_000 },
    );
  });

  it('is found in a long run of percent signs in linear time', () => {
    const hostile = '%25'.repeat(200_000);
    expect(maskDigits(`${hostile}${'34'.repeat(3)}`)).toContain('%25');
    expect(maskDigits(`${hostile}${card}`)).toBe('[digits]');
  });
});

function decodeAll(text: string): string {
  const decoded = text.replace(/%[0-9a-f]{2}/gi, (triple) =>
    String.fromCharCode(Number.parseInt(triple.slice(1), 16)),
  );
  return decoded === text ? text : decodeAll(decoded);
}
