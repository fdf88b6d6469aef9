import { expect, it } from 'vitest';
import { ClientAccounts } from '../../src/relay/client-accounts.ts';

it('shares one account between the connections of a leaf, and removes it with the last one', () => {
  const accounts = new ClientAccounts();
  const first = accounts.open('a');
  const second = accounts.open('a');
  expect(second).toBe(first);
  expect(accounts.open('b')).not.toBe(first);
  first.inFlight++;
  accounts.close(second);
  expect(accounts.open('a')).toBe(first);
  accounts.close(first);
  first.inFlight--;
  accounts.close(first);
  const later = accounts.open('a');
  expect(later).not.toBe(first);
  expect([later.inFlight, later.connections]).toEqual([0, 1]);
});
