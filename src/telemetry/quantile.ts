/** Quantiles of a histogram, computed as Prometheus' `histogram_quantile` does. */

/**
 * Interpolated within its bucket, in the unit of `bounds`; null without observations. Above the last bound the value is
 * that bound. `counts`: one for each of the ascending bounds and one above them, not cumulative. `share`: from 0 to 1.
 */
export function quantile(
  counts: readonly number[],
  { bounds, share }: { readonly bounds: readonly number[]; readonly share: number },
): number | null {
  const rank = share * counts.reduce((sum, count) => sum + count, 0);
  if (rank === 0) return null;
  let below = 0;
  for (const [bucket, bound] of bounds.entries()) {
    const count = counts[bucket] ?? 0;
    if (below + count < rank) {
      below += count;
      continue;
    }
    const lower = bounds[bucket - 1] ?? 0;
    return lower + ((bound - lower) * (rank - below)) / count;
  }
  return bounds.at(-1) ?? null;
}
