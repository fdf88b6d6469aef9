import fc from 'fast-check';
import { expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { encodeSubject, parseSubject } from '../../src/issuing/subject.ts';
import { formatName, readName } from '../../src/pki/distinguished-name.ts';

it('reads the subject of the guide in its order', () => {
  expect(parseSubject('/C=GB/O=Example Limited/OU=7a3c-11/CN=b91d-22')).toEqual([
    { type: 'C', value: 'GB' },
    { type: 'O', value: 'Example Limited' },
    { type: 'OU', value: '7a3c-11' },
    { type: 'CN', value: 'b91d-22' },
  ]);
});

it.each([
  ['\\/', '/'],
  ['\\+', '+'],
  ['\\\\', '\\'],
  ['\\=', '='],
  ['a=b', 'a=b'],
  ['a, "b"; c', 'a, "b"; c'],
  ['Zürich 東京 😀', 'Zürich 東京 😀'],
])('reads %s as OpenSSL does', (written, value) => {
  expect(parseSubject(`/CN=${written}`)).toEqual([{ type: 'CN', value }]);
});

it('encodes what it has read, every attribute and several organisational units', () => {
  const text =
    '/DC=example/DC=org/C=GB/ST=Kent/L=Ash/O=Ex\\/ample/OU=a/OU=b/organizationIdentifier=PSDGB-1/serialNumber=12/CN=ü/emailAddress=a@b.example';
  expect(formatName(readName(encodeSubject(parseSubject(text))))).toBe(
    'emailAddress=a@b.example,CN=ü,serialNumber=12,organizationIdentifier=PSDGB-1,OU=b,OU=a,O=Ex/ample,L=Ash,ST=Kent,C=GB,DC=org,DC=example',
  );
});

it.each([
  ['C=GB/CN=a', 'found "C=GB/CN=a"; allowed a subject that starts with /, as in /C=GB/O=…/OU=…/CN=…'],
  ['', 'found ""; allowed a subject that starts with /'],
  ['/', 'found "" without ='],
  ['/CN=a/', 'found "" without ='],
  ['//CN=a', 'found "" without ='],
  ['/CN', 'found "CN" without =; allowed TYPE=value between slashes; \\/ for a slash in a value'],
  ['/CN=a/b', 'found "b" without ='],
  ['/cn=a', 'found the type "cn"; allowed C, ST, L, O, OU, CN,'],
  ['/ CN=a', 'found the type " CN"'],
  ['/2.5.4.3=a', 'found the type "2.5.4.3"'],
  ['/constructor=a', 'found the type "constructor"'],
  ['/CN=', 'found CN without a value; allowed at least one character, or no CN at all'],
  ['/CN= a', 'found CN with a space at its start or end'],
  ['/CN=a\\', 'found a backslash at the end of CN'],
  ['/CN=a+OU=b', 'found an unescaped + in CN; allowed \\+ for a plus sign in a value'],
  ['/CN=a/CN=b', 'found CN twice; allowed one CN'],
  ['/C=gb', 'found C "gb"; allowed a country code of two capital letters, such as GB'],
  ['/C=GBR', 'found 3 characters in C; allowed at most 2'],
  [`/CN=${'a'.repeat(65)}`, 'found 65 characters in CN; allowed at most 64'],
  ['/CN=a\nb', 'found a control or invisible character in CN'],
  ['/CN=a\u202eb', 'found a control or invisible character in CN'],
  ['/serialNumber=é', 'found serialNumber "é"'],
  ['/emailAddress=é@b', 'found emailAddress "é@b"; allowed ASCII characters'],
])('refuses %j', (text, message) => {
  expect(() => parseSubject(text)).toThrow(UsageError);
  expect(() => parseSubject(text)).toThrow(`subject: ${message}`);
});

it('reads back every value that is escaped', () => {
  const value = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .filter((text) => text === text.trim() && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text));
  fc.assert(
    fc.property(value, value, (one, other) => {
      fc.pre([...one].length <= 64 && [...other].length <= 64);
      const written = [one, other].map((text) => text.replace(/[\\/+]/g, '\\$&'));
      expect(parseSubject(`/O=${written[0]}/CN=${written[1]}`)).toEqual([
        { type: 'O', value: one },
        { type: 'CN', value: other },
      ]);
    }),
  );
});
