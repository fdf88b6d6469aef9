/** The metric series of the revocation sources (CRLs and OCSP answers): one value per set of labels. */

export interface RevocationSourceFacts {
  readonly anchor: string;
  readonly kind: 'crl' | 'ocsp';
  readonly address: string;
  readonly subject: string | null;
  /** Of the certificate whose status OCSP answers; null: a CRL. */
  readonly serial: string | null;
  /** Milliseconds since the epoch; null: nothing was received yet. */
  readonly fetchedAt: number | null;
  readonly nextUpdate: number | null;
  readonly entries: number | null;
  readonly unclear: number | null;
  readonly failures: number;
}

interface SeriesOptions {
  /** null: the source has no such value, and no series. */
  readonly value: (source: RevocationSourceFacts) => number | null;
  /** Of two values, the one that is reported. */
  readonly worse: (one: number, other: number) => number;
}

/** If two sources have the same labels, the worse value is reported, so that a good source does not hide a failing one. */
export function revocationSeries(
  sources: readonly RevocationSourceFacts[],
  { value, worse }: SeriesOptions,
): { labels: Record<'anchor' | 'kind' | 'address' | 'subject' | 'serial', string>; value: number }[] {
  const series = new Map<string, ReturnType<typeof revocationSeries>[number]>();
  for (const source of sources) {
    const next = value(source);
    if (next === null) continue;
    const { anchor, kind, address, subject, serial } = source;
    const labels = { anchor, kind, address, subject: subject ?? '', serial: serial ?? '' };
    const key = JSON.stringify(labels);
    const known = series.get(key);
    series.set(key, { labels, value: known === undefined ? next : worse(known.value, next) });
  }
  return [...series.values()];
}
