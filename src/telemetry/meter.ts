/** The counts of one relay thread, kept without allocation per observation and taken in batches. */
import { isDeepStrictEqual } from 'node:util';
import { Counts, type HistogramDelta, increment, secondsBounds } from './bucket-counts.ts';
import { type ClientLeaf, ClientLeaves } from './client-leaves.ts';
import { type EndpointDelta, EndpointMeter } from './endpoint-meter.ts';
import { LabelTree } from './label-tree.ts';
import { type CountedRefusal, type Refusal, Refusals } from './refused-handshakes.ts';
import { type RouteDelta, RouteMeter } from './route-meter.ts';

/** Counters that grow once per connection or less often: `count` allocates. What grows per message has its own method. */
export type CountedName =
  | 'ehi_permits_withdrawn_total'
  | 'ehi_connections_closed_total'
  | 'ehi_tls_errors_total'
  | 'ehi_revocation_checks_total'
  | 'ehi_shadow_handshakes_total'
  | 'ehi_shadow_denials_total';

export type HandshakeVerdict = 'allow' | 'deny' | 'failed';

/** The measures by which a thread sheds load. */
interface Load {
  readonly unfinishedHandshakes: number;
  /** Milliseconds (loop-delay.ts). */
  readonly delay: number;
}

/** Current values, not differences. */
export interface Gauges extends Load {
  readonly connections: number;
  readonly inFlight: number;
  readonly softFailing: number;
}

const idle: Gauges = { connections: 0, inFlight: 0, softFailing: 0, unfinishedHandshakes: 0, delay: 0 };

/** The changes since the last `take`; plain data that crosses a thread boundary. */
export interface MeterDelta extends Gauges {
  /** Counts by metric name; labels in the order of the metric table. */
  readonly counts: readonly (readonly [name: CountedName, labels: readonly string[], count: number])[];
  /** Time of the last admitted handshake for each issuing CA. */
  readonly lastHandshakes: readonly (readonly [labels: readonly string[], timeMs: number])[];
  readonly handshakes: readonly (readonly [verdict: HandshakeVerdict, reason: string, count: number])[];
  readonly handshakeSeconds: HistogramDelta;
  readonly routes: readonly RouteDelta[];
  readonly endpoints: readonly EndpointDelta[];
  /** The leaves of authorized clients that were seen. */
  readonly clientCertificates: readonly ClientLeaf[];
  /** The last ones, at most `maxRefusals`, the newest first. */
  readonly refusals: readonly CountedRefusal[];
}

export class Meter {
  /** Open connections; the owner adds and subtracts. */
  connections = 0;
  /** Messages from the complete request head to the last byte of the response; the owner adds and subtracts. */
  inFlight = 0;
  /** Admitted clients whose revocation is unknown; the owner adds and subtracts. */
  softFailing = 0;
  /** Called for each report; the owner sets it. */
  load: () => Load = () => idle;

  readonly #handshakes: Record<HandshakeVerdict, Map<string, number>> = {
    allow: new Map(),
    deny: new Map(),
    failed: new Map(),
  };
  readonly #handshakeSeconds = new Counts(secondsBounds);
  readonly #routes = new Map<string, RouteMeter>();
  readonly #endpoints = new Map<string, EndpointMeter>();
  readonly #clientCertificates = new ClientLeaves();
  /** The same objects, so that a leaf which is seen again costs one look-up. */
  readonly #seenLeaves = new Set<ClientLeaf>();
  readonly #refusals = new Refusals();
  readonly #counts = new LabelTree<[CountedName, readonly string[], number]>();
  readonly #lastHandshakes = new LabelTree<[readonly string[], number]>();
  #changed = false;
  #taken = idle;

  /** `reason` is `none` for `allow`; `milliseconds` is NaN if no handshake began (refused at accept). */
  handshake(verdict: HandshakeVerdict, reason: string, milliseconds: number): void {
    this.#changed = true;
    increment(this.#handshakes[verdict], reason);
    this.#handshakeSeconds.observe(milliseconds / 1000);
  }

  /** Facts of a handshake that was refused or failed, in addition to `handshake`. */
  refused(refusal: Refusal): void {
    this.#changed = true;
    this.#refusals.add(refusal);
  }

  /** Increments a counter of the metric table. `labels`: in the order of the table, never text that a client controls. */
  count(name: CountedName, labels: readonly string[]): void {
    this.#changed = true;
    const counted = this.#counts.at(name).below(labels);
    if (counted.entry === null) counted.entry = [name, labels, 1];
    else counted.entry[2]++;
  }

  /** A client was admitted under this anchor, with a leaf of this issuing CA; `now`: milliseconds since the epoch. */
  lastHandshake(labels: readonly [anchor: string, issuer: string, issuerSha256: string], now: number): void {
    this.#changed = true;
    const last = this.#lastHandshakes.below(labels);
    if (last.entry === null) last.entry = [labels, now];
    else last.entry[1] = now;
  }

  /** The meter of a route. `path`: from the configuration, or `noRoute` for requests that matched no route. */
  route(path: string): RouteMeter {
    let meter = this.#routes.get(path);
    if (meter === undefined) {
      meter = new RouteMeter(path);
      this.#routes.set(path, meter);
    }
    return meter;
  }

  /** The leaf of an authorized client was seen; `now`: milliseconds since the epoch. */
  clientCertificate(leaf: ClientLeaf, now: number): void {
    this.#changed = true;
    if (this.#seenLeaves.has(leaf)) return;
    this.#seenLeaves.add(leaf);
    this.#clientCertificates.add(leaf, now);
  }

  /** The meter of an upstream endpoint. `name`: from the configuration. */
  endpoint(name: string): EndpointMeter {
    let meter = this.#endpoints.get(name);
    if (meter === undefined) {
      meter = new EndpointMeter(name);
      this.#endpoints.set(name, meter);
    }
    return meter;
  }

  /** null: nothing changed since the last call. */
  take(): MeterDelta | null {
    const gauges = this.#gauges();
    const endpoints = this.#takeEndpoints();
    const routes = [...this.#routes.values()].flatMap((meter) => meter.take() ?? []);
    const isUnchanged = isDeepStrictEqual(gauges, this.#taken);
    if (!this.#changed && isUnchanged && endpoints.length === 0 && routes.length === 0) return null;
    const delta: MeterDelta = {
      ...gauges,
      counts: this.#counts.take(),
      lastHandshakes: this.#lastHandshakes.take(),
      handshakes: (['allow', 'deny', 'failed'] as const).flatMap((verdict) =>
        [...this.#handshakes[verdict]].map(([reason, count]) => [verdict, reason, count] as const),
      ),
      handshakeSeconds: this.#handshakeSeconds.take(),
      routes,
      endpoints,
      clientCertificates: this.#clientCertificates.added(),
      refusals: this.#refusals.all(),
    };
    for (const counts of Object.values(this.#handshakes)) counts.clear();
    this.#clientCertificates.clear();
    this.#seenLeaves.clear();
    this.#refusals.clear();
    this.#changed = false;
    this.#taken = gauges;
    return delta;
  }

  #gauges(): Gauges {
    const { connections, inFlight, softFailing } = this;
    const { unfinishedHandshakes, delay } = this.load();
    // Rounded to milliseconds, so that an idle thread has nothing to report.
    return { connections, inFlight, softFailing, unfinishedHandshakes, delay: Math.round(delay) };
  }

  #takeEndpoints(): EndpointDelta[] {
    const deltas: EndpointDelta[] = [];
    for (const [name, meter] of this.#endpoints) {
      const delta = meter.take();
      if (delta !== null) deltas.push(delta);
      else if (meter.pools === 0 && meter.inUse === 0) this.#endpoints.delete(name);
    }
    return deltas;
  }
}
