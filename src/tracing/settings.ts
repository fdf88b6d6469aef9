/** The settings of the span export. */

export interface TracingSettings {
  /** The URL that batches are posted to. */
  readonly endpoint: string;
  readonly serviceName: string;
  /** Longest time that queued spans wait for a batch, ms. */
  readonly interval: number;
  /** Additional header fields, such as credentials for the collector. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** PEM of the CAs that verify an https endpoint; null: those of the operating system. */
  readonly ca: readonly string[] | null;
}
