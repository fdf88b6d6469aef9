import { expect, it } from 'vitest';
import { joinParts, SignedContent } from '../../src/signature/signed-content.ts';

it.each([
  [null, 'B'],
  ['{timestamp}.{body}', 'T.B'],
  ['{body}.{timestamp}', 'B.T'],
  ['v1:{timestamp}:{body}', 'v1:T:B'],
  ['{timestamp}\n{body}\n', 'T\nB\n'],
  ['<{body}|{timestamp}>', '<B|T>'],
])('puts timestamp and body into %j', (signed, expected) => {
  expect(joinParts(new SignedContent(signed).parts('T', Buffer.from('B'))).toString()).toBe(expected);
});

it('changes no byte of the body, and replaces nothing in it', () => {
  const body = Buffer.from([0, 255, ...Buffer.from('{timestamp}{body}$&')]);
  const joined = joinParts(new SignedContent('{timestamp}.{body}').parts('T', body));
  expect(joined).toEqual(Buffer.concat([Buffer.from('T.'), body]));
});
