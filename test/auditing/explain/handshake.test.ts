import { expect, it } from 'vitest';
import { describeHandshake } from '../../../src/auditing/explain/handshake.ts';

const leaf = {
  subject: 'CN=client',
  issuer: 'CN=CA',
  serial: '01',
  not_before: 'a',
  not_after: 'b',
  pin: null,
};
const failed = { type: 'handshake', verdict: 'failed', reason: 'closed_before_finished', detail: null };
const certificateOf = (record: object) =>
  describeHandshake({ ...failed, ...record }).details.find((line) => line.startsWith('Certificate: '));

it('does not say of a resumed session that its client sent a certificate, or should have proved its key', () => {
  expect(certificateOf({ resumed: true, leaf })).toMatch(
    /It is the one of the session .* none is sent then\.$/,
  );
  expect(certificateOf({ resumed: true, leaf: null })).toMatch(/none is sent when a session is resumed/);
  expect(certificateOf({ resumed: false, leaf })).toMatch(/did not prove that it has the private key/);
  expect(certificateOf({ resumed: null, leaf: null })).toMatch(/none was sent or it was not read\.$/);
});

it('says that an allowed client without a certificate sent none, and why it was allowed', () => {
  const record = { type: 'handshake', verdict: 'allow', reason: null, leaf: null, resumed: false };
  expect(describeHandshake(record).details).toContain(
    'Certificate: none was sent, and clients.certificate is optional.',
  );
});
