import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJson } from '../../src/jose/strict-json.ts';

const read = (text: string) => readJson(Buffer.from(text));

describe('readJson', () => {
  it('reads every JSON text as JSON.parse does, if no object repeats a name', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        expect(read(text)).toEqual({ ok: true, value: JSON.parse(text) });
      }),
    );
  });

  it.each([
    '{"a":1,"a":1}',
    '{"a":1,"b":{"c":[{"d":1,"e":"{","d":2}]}}',
    String.raw`{"a":1,"\u0061":2}`,
    String.raw`{"\"":1,"\"":2}`,
    '{"__proto__":1,"__proto__":2}',
    '[[],{"a":[1,{"b":1}],"c":{},"a":2}]',
  ])('refuses an object that repeats a name: %s', (text) => {
    expect(read(text)).toEqual({ ok: false, problem: 'JSON in which an object has two members of one name' });
  });

  it.each([
    '{"a":"a","b":["a","a"],"c":{"a":1}}',
    String.raw`{"a\\":1,"a":"\\","b":"\"a\":"}`,
    '[{"a":1},{"a":2}]',
    '{"":1," ":2}',
  ])('accepts a name that appears in two objects, or as a value: %s', (text) => {
    expect(read(text)).toEqual({ ok: true, value: JSON.parse(text) });
  });

  it.each(['', '{', '{"a":1}}', '{a:1}', "{'a':1}", '{"a":1,}', 'NaN'])(
    'refuses %j, and does not repeat it',
    (text) => {
      expect(read(text)).toEqual({ ok: false, problem: 'text that is not JSON' });
    },
  );

  it('refuses bytes that are not UTF-8', () => {
    expect(readJson(Buffer.from([0x22, 0xc0, 0xaf, 0x22]))).toEqual({
      ok: false,
      problem: 'text that is not UTF-8',
    });
  });

  it('reads deep nesting without a recursion of its own', () => {
    const text = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    expect(read(text).ok).toBe(true);
  });
});
