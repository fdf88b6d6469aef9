/** What must be renewed by when. Pure: the holdings and the time decide. */

import {
  type CertificateHolding,
  type CrlHolding,
  type Holding,
  type Purpose,
  purposes,
} from './holdings/holding.ts';
import { daysLeft } from './item-facts.ts';

const day = 24 * 3_600_000;

/** Thredd writes mails 60, 30 and 7 days before a certificate ends. */
const thresholds = [7, 30, 60] as const;

/** How near the end is: `7`: within 7 days. */
export type Urgency = 'expired' | 'within_7' | 'within_30' | 'within_60' | 'later';

export interface Renewal {
  readonly purpose: Purpose;
  readonly subject: string;
  readonly issuer: string;
  /** Lower hex; null for a CRL. */
  readonly serial: string | null;
  readonly source: string;
  readonly path: string;
  readonly usedBy: string;
  /** Milliseconds since the epoch; null: a CRL that states none. */
  readonly end: number | null;
  readonly daysLeft: number | null;
  readonly urgency: Urgency;
  /** It ends within the days that were asked for; a CRL: see `isCrlDue`. */
  readonly isDue: boolean;
  /** What to do. */
  readonly action: string;
}

export interface RenewalReport {
  /** What ends first comes first. */
  readonly renewals: readonly Renewal[];
  /** What could not be read, so that it is not known when it ends. */
  readonly faults: readonly { readonly source: string; readonly path: string; readonly detail: string }[];
}

export interface RenewalOptions {
  readonly days: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Certificates that the gateway passes over are not due, unless it passes them over because they have expired. */
export function planRenewals(holdings: readonly Holding[], options: RenewalOptions): RenewalReport {
  const renewals = holdings.flatMap((holding): Renewal[] => {
    if (holding.kind === 'certificate') return [certificateRenewal(holding, options)];
    return holding.kind === 'crl' ? [crlRenewal(holding, options)] : [];
  });
  return {
    renewals: renewals.sort((one, other) => (one.end ?? Number.MAX_VALUE) - (other.end ?? Number.MAX_VALUE)),
    faults: holdings.flatMap((holding) =>
      holding.kind === 'fault'
        ? [{ source: holding.source, path: holding.path, detail: holding.detail }]
        : [],
    ),
  };
}

function certificateRenewal(holding: CertificateHolding, { days, now }: RenewalOptions): Renewal {
  const { certificate, unused, purpose } = holding;
  const { subject, issuer, serial, notAfter } = certificate;

  return {
    ...useOf(holding),
    ...{
      subject,
      issuer,
      serial,
      end: notAfter,
      daysLeft: daysLeft(notAfter, now),
      urgency: urgencyOf(notAfter, now),
    },
    // What is passed over for another reason protects nothing, whenever it ends.
    isDue: purpose !== 'pending_root' && (unused === null || now > notAfter) && notAfter < now + days * day,
    action: unused === null ? purposes[purpose].renewal : `not used: ${unused}`,
  };
}

function crlRenewal(holding: CrlHolding, options: RenewalOptions): Renewal {
  const { issuer, thisUpdate, nextUpdate } = holding;
  const { now } = options;
  const end = nextUpdate ?? thisUpdate;
  return {
    ...useOf(holding),
    ...{ subject: `CRL of ${issuer}`, issuer, serial: null, end: nextUpdate },
    daysLeft: nextUpdate === null ? null : daysLeft(nextUpdate, now),
    urgency: urgencyOf(end, now),
    isDue: isCrlDue(holding, options),
    action: purposes.crl.renewal,
  };
}

/**
 * A fetched CRL is due from its nextUpdate on: before that the gateway fetches the next one by itself. A file that is replaced
 * by hand is due within `days`, but not before a tenth of its period is left: a CRL that is published each week would always
 * be due within 30 days.
 */
function isCrlDue({ thisUpdate, nextUpdate, fetchedAt }: CrlHolding, { days, now }: RenewalOptions): boolean {
  if (nextUpdate === null) return false;
  if (fetchedAt !== null) return now > nextUpdate;
  return now > nextUpdate - Math.min(days * day, (nextUpdate - thisUpdate) / 10);
}

function useOf({ purpose, source, path, usedBy }: Holding) {
  return { purpose, source, path, usedBy };
}

export function urgencyOf(end: number, now: number): Urgency {
  if (now > end) return 'expired';
  const within = thresholds.find((days) => end < now + days * day);
  return within === undefined ? 'later' : `within_${within}`;
}
