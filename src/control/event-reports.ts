/** Reports the events of the control thread: to the operator in the log and in the status document, to the auditor in the audit. */

import { toEcsLines } from '../audit/ecs-line.ts';
import type { AuditFormat } from '../audit/ecs-table.ts';
import { configLine, keysLine, revocationLine, threadLine, trustLine } from '../audit/event-record.ts';
import {
  type EventSentence,
  keysSentences,
  revocationSentences,
  sentenceOf,
  trustSentences,
} from '../audit/event-sentences.ts';
import type { AuditWriter } from '../audit/writer.ts';
import type { ConfigChange } from '../config/changes.ts';
import { type ConfigProblem, describeProblem } from '../errors.ts';
import type { KeysAction, KeysEvent } from '../keys/state.ts';
import type { RevocationAction, RevocationEvent } from '../revocation/event.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { LogLine, RepeatedLines } from '../telemetry/repeated-lines.ts';
import type { DropReason } from '../tracing/exporter.ts';
import type { TrustAction, TrustEvent } from '../trust/state.ts';
import type { RecentChanges } from './recent-changes.ts';

const trustEvents: Readonly<Record<TrustAction, EventSentence>> = trustSentences;
const revocationEvents: Readonly<Record<RevocationAction, EventSentence>> = revocationSentences;

const keysEvents: Readonly<Record<KeysAction, EventSentence>> = keysSentences;

interface ReportingOptions {
  readonly audit: AuditWriter;
  readonly logger: Logger;
  readonly failures: RepeatedLines;
  readonly format: AuditFormat;
  readonly changes: RecentChanges;
}

export class Reporting {
  readonly #audit: AuditWriter;
  readonly #logger: Logger;
  readonly #failures: RepeatedLines;
  readonly #changes: RecentChanges;
  readonly #isEcs: boolean;

  constructor({ audit, logger, failures, changes, format }: ReportingOptions) {
    this.#audit = audit;
    this.#logger = logger;
    this.#failures = failures;
    this.#changes = changes;
    this.#isEcs = format === 'ecs';
  }

  #record(line: string): void {
    this.#audit.write(this.#isEcs ? toEcsLines(line) : line);
  }

  /** Failures may be repeated at each fetch. The other events are changes, which are all written. */
  #log(event: EventSentence, fields: Readonly<Record<string, unknown>>): void {
    const message = sentenceOf(event);
    if (event.level === 'info') this.#logger.info(fields, message);
    else this.#failures.log({ level: event.level, message, fields });
  }

  /** `error`: null if the thread ended without one. */
  threadDied(thread: number, error: Error | null): void {
    this.#changes.threadDied(thread, error);
    const detail = error?.message ?? null;
    this.#logger.error(
      { thread, error: detail },
      'a relay thread died and is replaced; its connections are reset and its records of the last 50 ms are lost: report error to the maintainers',
    );
    this.#record(threadLine({ time: Date.now(), thread, detail }));
  }

  trust(event: TrustEvent): void {
    this.#changes.trust(event);
    const { action, anchor, sha256, url, detail, added, removed } = event;
    // With colons, because the log masks long runs of digits and a hash may contain one.
    const root = sha256?.replaceAll(/..(?!$)/g, '$&:');
    this.#log(trustEvents[action], { action, anchor, root, url, detail });
    this.#record(
      trustLine({
        time: Date.now(),
        event: action,
        anchor,
        rootSha256: sha256 ?? null,
        url: url ?? null,
        detail: detail ?? null,
        added: added ?? null,
        removed: removed ?? null,
      }),
    );
  }

  revocation(event: RevocationEvent): void {
    this.#changes.revocation(event);
    const { action, anchor, address, certificate, detail } = event;
    this.#log(revocationEvents[action], { action, anchor, address, certificate, detail });
    this.#record(
      revocationLine({
        time: Date.now(),
        event: action,
        anchor,
        address: address ?? null,
        certificate: certificate ?? null,
        detail: detail ?? null,
      }),
    );
  }

  keys(event: KeysEvent): void {
    this.#changes.keys(event);
    const { action, source, detail, added, removed } = event;
    const sizes = { added: added?.length, removed: removed?.length };
    this.#log(keysEvents[action], { action, source, ...sizes, detail });
    this.#record(
      keysLine({
        time: Date.now(),
        event: action,
        source,
        detail: detail ?? null,
        added: added ?? null,
        removed: removed ?? null,
      }),
    );
  }

  /** A request to an introspection endpoint brought no answer. */
  introspectionFailed(endpoint: string, problem: string): void {
    const message =
      'an introspection endpoint gave no answer; messages with a token that only it can judge get 503 (token_undecided): check routes[].bearer.introspection and the authorization server';
    this.#failures.log({ level: 'error', message, fields: { endpoint, detail: problem } });
  }

  /** The collector stopped accepting spans, with this status or code; null: it accepts them again. */
  tracing(trouble: string | null): void {
    if (trouble === null) this.#logger.info('the collector accepts spans again');
    else
      this.#logger.warn(
        { cause: trouble },
        'the collector does not accept spans; messages are not affected, and spans are dropped when too many wait: check tracing.endpoint and the collector',
      );
  }

  /** Logs the spans dropped at the end, when no metric can be scraped any more. */
  spansDropped(spans: number, reason: DropReason): void {
    if (reason === 'ended')
      this.#logger.warn({ spans }, 'spans were dropped because they could not be exported before the end');
  }

  /** The clock was set, or the machine slept; `ms`: forward if positive. */
  clockJumped(ms: number): void {
    this.#logger.warn(
      { ms: Math.round(ms) },
      'the clock was set, or the machine slept; trust anchors and revocation data are fetched now, and every connection is authorized again',
    );
  }

  /** A line that a relay thread logged. `isFailure`: it may be repeated. */
  relayLine(line: LogLine & { readonly isFailure: boolean }): void {
    if (line.isFailure) this.#failures.log(line);
    else this.#logger[line.level](line.fields, line.message);
  }

  draining(): void {
    this.#logger.info(
      'the gateway stops: it accepts no new connections, and ends when the open messages are answered, at the latest after timeouts.drain',
    );
  }

  warnings(warnings: readonly ConfigProblem[]): void {
    for (const warning of warnings) this.#logger.warn(describeProblem(warning));
  }

  reloaded(change: ConfigChange, generation: number): void {
    this.#changes.reloaded(change);
    const { changed, fixed } = change;
    for (const path of fixed)
      this.#logger.warn(
        { path },
        'this setting cannot change at run time; the old value stays until a restart',
      );
    this.#logger.info({ changed, generation }, 'the configuration was reloaded');
    this.#record(
      configLine({ time: Date.now(), event: 'reloaded', generation, changed, fixed, problems: 0 }),
    );
  }

  refused(problems: readonly ConfigProblem[]): void {
    this.#changes.refused(problems);
    for (const problem of problems) this.#logger.error(describeProblem(problem));
    this.#logger.error(
      { problems: problems.length },
      'the changed configuration was refused; the previous one stays in use: correct the problems in the lines above',
    );
    this.#record(
      configLine({
        time: Date.now(),
        event: 'refused',
        generation: null,
        changed: [],
        fixed: [],
        problems: problems.length,
      }),
    );
  }
}
