/** When something counts as due. */
import { expect, it } from 'vitest';
import type { Holding, Purpose } from '../../src/inspection/holdings/holding.ts';
import { planRenewals, urgencyOf } from '../../src/inspection/renewals.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { authority } from '../support/pki/authority.ts';

const day = 24 * 3_600_000;
const now = Date.UTC(2026, 5, 1);
const pki = authority({ now });

const certificate = (days: number, options: { unused?: string; purpose?: Purpose } = {}): Holding => ({
  ...{ kind: 'certificate', purpose: options.purpose ?? 'server', path: 'listen.certificate' },
  ...{
    usedBy: 'listener',
    source: 'server.pem',
    keyFile: null,
    fetchedAt: null,
    unused: options.unused ?? null,
  },
  certificate: parseCertificate(
    pki.issueClient({ notBefore: now - 400 * day, notAfter: now + days * day }).der,
  ),
});
const crl = (ageDays: number, leftDays: number | null, fetchedAt: number | null): Holding => ({
  ...{ kind: 'crl', purpose: 'crl', path: 'trust', usedBy: 'clients', source: 'ca.crl', issuer: 'CN=CA' },
  ...{ sha256: '', entries: 0, fetchedAt, thisUpdate: now - ageDays * day },
  nextUpdate: leftDays === null ? null : now + leftDays * day,
});
const isDue = (holding: Holding, days = 30) => planRenewals([holding], { days, now }).renewals[0]?.isDue;

it.each([
  [-1, 'expired'],
  [0.5, 'within_7'],
  [7, 'within_30'],
  [29.9, 'within_30'],
  [30, 'within_60'],
  [60, 'later'],
] as const)('%d days before its end the urgency is %s', (days, urgency) => {
  expect(urgencyOf(now + days * day, now)).toBe(urgency);
});

it('a certificate is due within the days that are asked for', () => {
  expect([
    isDue(certificate(29)),
    isDue(certificate(31)),
    isDue(certificate(31), 60),
    isDue(certificate(-1), 0),
  ]).toEqual([...[true, false, true, true]]);
});

it('a certificate that the gateway passes over is due only if it has expired', () => {
  expect(isDue(certificate(3, { unused: 'has a key that is too short' }))).toBe(false);
  expect(isDue(certificate(-3, { unused: 'expired' }))).toBe(true);
  expect(isDue(certificate(3, { purpose: 'pending_root', unused: 'it waits' }))).toBe(false);
});

it('a fetched CRL is due from its nextUpdate on', () => {
  expect([isDue(crl(6.6, 0.4, now)), isDue(crl(8, -0.1, now))]).toEqual([false, true]);
});

it('a CRL file is due when a tenth of its period is left, or within the days if these are less', () => {
  expect(isDue(crl(3, 4, null))).toBe(false);
  expect(isDue(crl(6.5, 0.5, null))).toBe(true);
  expect([isDue(crl(265, 100, null)), isDue(crl(340, 25, null))]).toEqual([false, true]);
  expect([isDue(crl(340, 25, null), 7), isDue(crl(360, 5, null), 7)]).toEqual([false, true]);
});

it('a CRL without nextUpdate is listed last and never due', () => {
  const { renewals } = planRenewals([crl(100, null, null), certificate(400)], { days: 30, now });
  expect(renewals.map(({ isDue: due, end }) => [due, end === null])).toEqual([
    [false, false],
    [false, true],
  ]);
});

it('what ends first comes first, and what cannot be read is a fault', () => {
  const fault: Holding = {
    kind: 'fault',
    purpose: 'upstream_ca',
    path: 'routes[0]',
    usedBy: 'host',
    source: 'ca.pem',
    detail: 'cannot be read (ENOENT)',
  };
  const report = planRenewals([certificate(90), certificate(-1), fault, certificate(10)], { days: 30, now });
  expect(report.renewals.map(({ daysLeft }) => daysLeft)).toEqual([-1, 10, 90]);
  expect(report.faults).toEqual([{ source: 'ca.pem', path: 'routes[0]', detail: 'cannot be read (ENOENT)' }]);
});
