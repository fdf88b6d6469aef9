/** The recent changes of configuration, trust, revocation data, key sets, relay threads and audit, for the status document. */
import type { Change } from '../admin/status-schema.ts';
import { maskText } from '../audit/masked-values.ts';
import type { AuditEvent } from '../audit/writer-event.ts';
import type { ConfigChange } from '../config/changes.ts';
import type { ConfigProblem } from '../errors.ts';
import type { KeysEvent } from '../keys/state.ts';
import type { RevocationEvent } from '../revocation/event.ts';
import { isoTime } from '../telemetry/clock.ts';
import type { TrustEvent } from '../trust/state.ts';

/** Of each kind: CRLs that change often must not displace the last reload. */
const maxOfKind = 20;

type Kind = Change['kind'];
/** Whose equal events count as one, whatever came between. */
const ofSources: readonly Kind[] = ['trust', 'revocation', 'keys'];

interface Entry {
  readonly kind: Kind;
  readonly event: string;
  readonly subject: string | null;
  readonly detail: string | null;
}

interface DatedEntry extends Entry {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly count: number;
  /** Of all entries; their times may go back, when the clock was set. */
  readonly order: number;
}

export class RecentChanges {
  readonly #now: () => number;
  #order = 0;
  /** The oldest first. */
  readonly #entries: Readonly<Record<Kind, DatedEntry[]>> = {
    config: [],
    trust: [],
    revocation: [],
    keys: [],
    thread: [],
    audit: [],
  };

  /** `now`: milliseconds since the epoch. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  reloaded({ changed, fixed }: ConfigChange): void {
    const restart = fixed.length === 0 ? '' : `; after a restart: ${fixed.join(', ')}`;
    const detail = `changed: ${changed.join(', ') || 'nothing'}${restart}`;
    this.#add({ kind: 'config', event: 'reloaded', subject: null, detail });
  }

  refused(problems: readonly ConfigProblem[]): void {
    const [first] = problems;
    const where = first === undefined || first.path === '' ? '' : `, the first in ${first.path}`;
    const detail = `problems: ${problems.length}${where}; the log lists them`;
    this.#add({ kind: 'config', event: 'refused', subject: null, detail });
  }

  trust({ action, anchor, url, detail, added, removed }: TrustEvent): void {
    const sizes =
      added === undefined && removed === undefined
        ? undefined
        : `certificates added: ${added?.length ?? 0}, removed: ${removed?.length ?? 0}`;
    this.#add({ kind: 'trust', event: action, subject: anchor, detail: joined(sizes, url, detail) });
  }

  revocation({ action, anchor, address, certificate, detail }: RevocationEvent): void {
    const entry = { kind: 'revocation', event: action, subject: anchor } as const;
    this.#add({ ...entry, detail: joined(address, certificate, detail) });
  }

  keys({ action, source, detail, added, removed }: KeysEvent): void {
    const sizes =
      added === undefined && removed === undefined
        ? undefined
        : `keys added: ${added?.length ?? 0}, removed: ${removed?.length ?? 0}`;
    this.#add({ kind: 'keys', event: action, subject: source, detail: joined(sizes, detail) });
  }

  threadDied(thread: number, error: Error | null): void {
    const subject = `relay thread ${thread}`;
    this.#add({ kind: 'thread', event: 'died', subject, detail: error?.message ?? null });
  }

  audit(event: AuditEvent): void {
    this.#add({ kind: 'audit', event: event.type, subject: null, detail: detailOf(event) });
  }

  /** The newest first, at most 20 of each kind. */
  list(): Change[] {
    return Object.values(this.#entries)
      .flat()
      .sort((one, other) => other.order - one.order)
      .map(({ time, detail, order, ...entry }) => {
        return { time: isoTime(time), ...entry, detail: detail === null ? null : maskText(detail) };
      });
  }

  #add(entry: Entry): void {
    const entries = this.#entries[entry.kind];
    const isEqual = ({ event, subject, detail }: Entry) =>
      event === entry.event && subject === entry.subject && detail === entry.detail;
    const index = entries.findLastIndex(isEqual);
    // Two sources may fail in turn; a reload after a refused one is a change of its own.
    const isRepeated = ofSources.includes(entry.kind)
      ? index >= 0
      : index >= 0 && index === entries.length - 1;
    const [known] = isRepeated ? entries.splice(index, 1) : [];
    const counted = { time: this.#now(), count: (known?.count ?? 0) + 1, order: ++this.#order };
    entries.push({ ...entry, ...counted });
    if (entries.length > maxOfKind) entries.shift();
  }
}

function detailOf(event: AuditEvent): string | null {
  switch (event.type) {
    case 'failing':
    case 'rotation_failed':
    case 'chain_unreadable':
    case 'seal_copy_failed':
    case 'seal_failed':
      return event.error.message;
    case 'rotated':
      return event.to;
    case 'chain_started':
      return `chain ${event.chain}`;
    case 'chain_resumed':
      return `chain ${event.chain}, lines without a seal: ${event.unsealed}`;
    case 'seal_refused':
      return event.cause;
    case 'seals_missing':
      return `chain ${event.chain}, last seal ${event.seq} of ${event.time}`;
    case 'recovered':
      return `records that waited: ${event.kept}, lost: ${event.lost}`;
    case 'full':
    case 'reopened':
    case 'truncated':
      return null;
    default:
      return event satisfies never;
  }
}

/** Without a part that a later one contains: the detail of a failed fetch begins with its URL. */
function joined(...parts: readonly (string | undefined)[]): string | null {
  const present = parts.filter((part): part is string => part !== undefined && part !== '');
  const needed = present.filter(
    (part, index) => !present.slice(index + 1).some((later) => later.includes(part)),
  );
  return needed.length === 0 ? null : needed.join(': ');
}
