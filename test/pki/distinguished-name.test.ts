import { AsnConvert } from '@peculiar/asn1-schema';
import { AttributeTypeAndValue, AttributeValue, Name, RelativeDistinguishedName } from '@peculiar/asn1-x509';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  attributeValues,
  canonicalName,
  type DistinguishedName,
  formatName,
  readName,
} from '../../src/pki/distinguished-name.ts';

const cn = '2.5.4.3';
const name = (...rdns: [type: string, value: AttributeValue][][]) =>
  // Encoded and decoded, as a name from a certificate is.
  readName(
    Buffer.from(
      AsnConvert.serialize(
        new Name(
          rdns.map(
            (rdn) =>
              new RelativeDistinguishedName(
                rdn.map(([type, value]) => new AttributeTypeAndValue({ type, value })),
              ),
          ),
        ),
      ),
    ),
  );
const utf8 = (utf8String: string) => new AttributeValue({ utf8String });

describe('a name as an RFC 4514 string', () => {
  it('starts with the most specific RDN', () => {
    const thredd = name(
      [['2.5.4.6', new AttributeValue({ printableString: 'GB' })]],
      [['2.5.4.10', utf8('Thredd UK Limited')]],
      [['2.5.4.11', utf8('Thredd Directory')]],
      [[cn, utf8('Thredd Issuing CA - G1')]],
    );
    expect(formatName(thredd)).toBe('CN=Thredd Issuing CA - G1,OU=Thredd Directory,O=Thredd UK Limited,C=GB');
  });

  it('is empty for an empty name', () => {
    expect(formatName(name())).toBe('');
  });

  it('joins the values of one RDN with a plus sign', () => {
    expect(
      formatName(
        name(
          [['2.5.4.10', utf8('o')]],
          [
            [cn, utf8('a')],
            ['2.5.4.11', utf8('b')],
          ],
        ),
      ),
    ).toBe('CN=a+OU=b,O=o');
  });

  it.each([
    ['plain', 'plain'],
    ['a,b', 'a\\,b'],
    ['a+b', 'a\\+b'],
    ['a"b', 'a\\"b'],
    ['a\\b', 'a\\\\b'],
    ['a<b>c', 'a\\<b\\>c'],
    ['a;b', 'a\\;b'],
    ['a=b', 'a=b'],
    ['#1', '\\#1'],
    ['a#1', 'a#1'],
    [' a b ', '\\ a b\\ '],
    [' ', '\\ '],
    ['  ', '\\ \\ '],
    ['', ''],
    ['Lučić', 'Lučić'],
    ['a\r\nb\0', 'a\\0d\\0ab\\00'],
    ['a\u0085b\u2028', 'a\\c2\\85b\\e2\\80\\a8'],
    ['a\u202eb\u3164', 'a\\e2\\80\\aeb\\e3\\85\\a4'],
  ])('writes %j as %j', (value, written) => {
    expect(formatName(name([[cn, utf8(value)]]))).toBe(`CN=${written}`);
  });

  it('has the hex of the DER for a type without a short name, and for a value that is not a string', () => {
    expect(formatName(name([['1.3.6.1.4.1.1466.0', utf8('Hi')]]))).toBe('1.3.6.1.4.1.1466.0=#0c024869');
    const integer = new AttributeValue({ anyValue: new Uint8Array([2, 1, 5]).buffer });
    expect(formatName(name([[cn, integer]]))).toBe('CN=#020105');
  });

  it('is different for different names', () => {
    const value = fc.string({
      unit: fc.constantFrom(' ', '#', '+', ',', '=', '\\', '"', 'a', '\0', '0', '\u202e', 'e'),
      maxLength: 5,
    });
    const rdn = fc.array(fc.tuple(fc.constantFrom(cn, '2.5.4.11'), value), { minLength: 1, maxLength: 2 });
    const written = (rdns: [string, string][][]) =>
      formatName(
        name(...rdns.map((each) => each.map(([type, text]): [string, AttributeValue] => [type, utf8(text)]))),
      );
    fc.assert(
      fc.property(fc.array(rdn, { maxLength: 3 }), fc.array(rdn, { maxLength: 3 }), (one, other) => {
        expect(written(one) === written(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the values of one attribute', () => {
  it('are decoded from every string type', () => {
    const texts = [
      'printableString',
      'utf8String',
      'ia5String',
      'teletexString',
      'bmpString',
      'universalString',
    ];
    const values = texts.map(
      (type) => [[cn, new AttributeValue({ [type]: type })]] as [string, AttributeValue][],
    );
    expect(attributeValues(name(...values), cn)).toEqual(texts);
  });
});

describe('two names are equal', () => {
  const same = (one: DistinguishedName, other: DistinguishedName) =>
    canonicalName(one).join('') === canonicalName(other).join('');
  const printable = (printableString: string) => new AttributeValue({ printableString });
  const a: [string, AttributeValue] = [cn, utf8('a')];
  const b: [string, AttributeValue] = ['2.5.4.10', utf8('b')];

  it.each<[string, DistinguishedName, DistinguishedName, boolean]>([
    ['in different string types', name([[cn, printable('a')]]), name([a]), true],
    ['in different case', name([[cn, utf8('Ärger')]]), name([[cn, utf8('äRGER')]]), true],
    ['with different white space', name([[cn, utf8(' a \t b')]]), name([[cn, utf8('a b ')]]), true],
    ['not if only one has white space', name([[cn, utf8('a b')]]), name([[cn, utf8('ab')]]), false],
    ['composed and decomposed', name([[cn, utf8('\u00e9')]]), name([[cn, utf8('e\u0301')]]), true],
    ['not with an attribute of another type', name([[cn, utf8('b')]]), name([b]), false],
    ['with the values of an RDN in another order', name([a, b]), name([b, a]), true],
    ['not with the RDNs in another order', name([a], [b]), name([b], [a]), false],
    ['not with two values in one RDN and in two', name([a, b]), name([a], [b]), false],
    [
      'not because of a value that looks like syntax',
      name([[cn, utf8('a"]["2.5.4.10=b')]]),
      name([a], [b]),
      false,
    ],
  ])('%s', (_what, one, other, expected) => {
    expect(same(one, other)).toBe(expected);
  });
});
