import { describe, expect, it } from 'vitest';
import { isWellFormed, MAX_TOKEN, readToken } from '../../src/bearer/token-field.ts';

const lines = (...fields: string[]) => fields.map((field) => `${field}\r\n`).join('');

/** The token of a request, or why it has none that can be judged. */
function read(fields: string, target: string) {
  const reading = readToken(fields, target);
  return 'token' in reading && !isWellFormed(reading.token) ? { refusal: 'token_syntax' } : reading;
}

describe('a request', () => {
  it.each([
    ['of RFC 6750 §2.1', 'Authorization: Bearer mF_9.B5f-4.1JqM', 'mF_9.B5f-4.1JqM'],
    ['after a scheme in another case', 'authorization: bEARER abc', 'abc'],
    ['after several spaces', 'Authorization: Bearer   abc', 'abc'],
    ['with every character of its grammar', 'Authorization: Bearer aZ0-._~+/==', 'aZ0-._~+/=='],
  ])('has a token %s', (_, field, token) => {
    expect(read(lines('Host: a', field, 'Accept: */*'), '/ehi?a=b')).toEqual({ token });
  });

  it.each([
    ['no field', '', 'token_missing'],
    ['another scheme', lines('Authorization: Basic YTpi'), 'token_missing'],
    ['DPoP', lines('Authorization: DPoP abc'), 'token_missing'],
    ['a scheme that begins like Bearer', lines('Authorization: Bearers abc'), 'token_missing'],
    ['an empty field', lines('Authorization: '), 'token_missing'],
    ['a field whose name only begins so', lines('Authorization-Token: Bearer abc'), 'token_missing'],
    ['two fields', lines('Authorization: Bearer a', 'authorization: Bearer a'), 'token_repeated'],
    [
      'two fields of two schemes',
      lines('Authorization: Basic a', 'Authorization: Bearer a'),
      'token_repeated',
    ],
    ['no token', lines('Authorization: Bearer'), 'token_syntax'],
    ['only padding', lines('Authorization: Bearer =='), 'token_syntax'],
    ['two tokens in a list', lines('Authorization: Bearer a, Bearer b'), 'token_syntax'],
    ['a parameter', lines('Authorization: Bearer token="a"'), 'token_syntax'],
    ['padding within', lines('Authorization: Bearer a=b'), 'token_syntax'],
    ['a tab instead of the space', lines('Authorization: Bearer\ta'), 'token_missing'],
    ['a no-break space before the token', lines('Authorization: Bearer \xa0a'), 'token_syntax'],
    ['a no-break space after the token', lines('Authorization: Bearer a\xa0'), 'token_syntax'],
    ['a character beyond ASCII', lines('Authorization: Bearer a\xe4'), 'token_syntax'],
  ])('with %s is refused', (_, fields, refusal) => {
    expect(read(fields, '/ehi')).toEqual({ refusal });
  });

  it('with a token of more than 8 KiB is refused', () => {
    const token = 'a'.repeat(MAX_TOKEN);
    expect(read(lines(`Authorization: Bearer ${token}`), '/')).toEqual({ token });
    expect(read(lines(`Authorization: Bearer ${token}a`), '/')).toEqual({ refusal: 'token_too_large' });
  });

  it.each([
    ['/ehi?access_token=abc'],
    ['/ehi?a=b&access_token=abc'],
    ['/ehi?access_token'],
    ['/ehi?access%5Ftoken=abc'],
    ['/ehi?%61ccess_token=abc'],
  ])('is refused for the target %s, with and without the field', (target) => {
    expect(read('', target)).toEqual({ refusal: 'token_in_query' });
    expect(read(lines('Authorization: Bearer abc'), target)).toEqual({ refusal: 'token_in_query' });
  });

  it.each([['/ehi?my_access_token=abc'], ['/ehi?a=access_token'], ['/access_token=abc']])(
    'is not refused for the target %s',
    (target) => {
      expect(read(lines('Authorization: Bearer abc'), target)).toEqual({ token: 'abc' });
    },
  );
});
