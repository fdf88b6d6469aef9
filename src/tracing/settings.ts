/** What the control thread exports spans by. */

export interface TracingSettings {
  /** The URL that batches are posted to. */
  readonly endpoint: string;
  readonly serviceName: string;
  /** Milliseconds. */
  readonly interval: number;
  /** Name and value of what is sent along, as credentials of the collector. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** PEM of the CAs that an https endpoint is verified with; null: the operating system's. */
  readonly ca: readonly string[] | null;
}
