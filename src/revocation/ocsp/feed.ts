/** Keeps the OCSP word on one certificate current: asked for ahead, believed only if sound, kept on disk. */
import type { Certificate } from '../../pki/certificate.ts';
import { describeAnswer, describeRefusal } from '../describe.ts';
import type { SourceState } from '../event.ts';
import type { FeedContext } from '../feed-context.ts';
import { Repetition } from '../periodic-task.ts';
import { ocspPause } from '../schedule.ts';
import { Problem, type Telling } from '../source-failure.ts';
import type { OcspFact } from '../state.ts';
import type { Slots } from './concurrency-limit.ts';
import { askResponders, type IsRevoked, type OcspAnswered } from './query.ts';
import { checkedResponder } from './responder.ts';
import { type OcspAnswer, readOcspResponse } from './response.ts';
import { forgetOcsp, loadOcsp, type OcspPlace, saveOcsp } from './store.ts';
import { isFresh, isSameWord, succeed } from './succession.ts';

export interface OcspFeedOptions extends FeedContext {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  /** Responders in the order they are asked; the next one where the one before gives no answer that counts. */
  readonly addresses: readonly string[];
  /** Where answers lie on disk. */
  readonly folder: string;
  /** Milliseconds for one question. */
  readonly timeout: number;
  /** What waits its turn; nobody waits for a handshake's first question. */
  readonly slots: Slots;
  /** Nobody waits for the first answer. */
  readonly isPatient: boolean;
  /** Asked about responders that others have delegated. */
  readonly isRevoked: IsRevoked;
}

export class OcspFeed {
  readonly #options: OcspFeedOptions;
  readonly #problem: Problem;
  readonly #repetition: Repetition;
  readonly #settled = Promise.withResolvers<void>();
  #addresses: readonly string[];
  #isSettled = false;
  #ended = false;
  #answer: OcspAnswer | null = null;
  #fact: OcspFact | null = null;
  #fetchedAt: number | null = null;
  #fruitless = 0;

  constructor(options: OcspFeedOptions) {
    this.#options = options;
    this.#addresses = options.addresses;
    this.#problem = new Problem((telling) => this.#tell(telling));
    this.#repetition = new Repetition({
      timers: options.timers,
      turn: (signal) => this.#turn(signal),
      pause: () => this.#pause(),
    });
  }

  get issuer(): Certificate {
    return this.#options.issuer;
  }

  /** null: nobody has been asked to the end yet. */
  get fact(): OcspFact | null {
    return this.#fact;
  }

  /** Resolves when the responders have answered once, well or badly; null: they have, or need not. */
  get settled(): Promise<void> | null {
    return this.#isSettled ? null : this.#settled.promise;
  }

  state(): SourceState {
    const { anchor, certificate } = this.#options;
    return {
      ...{ anchor, kind: 'ocsp', address: this.#addresses.join(' ') },
      ...{ entries: null, unclear: null, number: null },
      subject: certificate.subject,
      serial: certificate.serial,
      certificate: certificate.sha256,
      fetchedAt: this.#fetchedAt,
      thisUpdate: this.#answer?.thisUpdate ?? null,
      nextUpdate: this.#answer?.nextUpdate ?? null,
      status: this.#answer?.status ?? null,
      problem: this.#problem.detail,
      failures: this.#problem.failures,
    };
  }

  /** Takes what is on disk, and then begins to ask; resolves before anybody was asked. */
  async start(): Promise<void> {
    await this.#recall();
    if (this.#answer === null) this.#repetition.now();
    else this.#repetition.schedule();
  }

  /** Others than before are asked at once. */
  askAt(addresses: readonly string[]): void {
    if (addresses.join(' ') === this.#addresses.join(' ')) return;
    this.#addresses = addresses;
    this.#repetition.now();
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** Asks now, and soon again where that brings nothing. */
  async refresh(): Promise<void> {
    this.#fruitless = 0;
    await this.#repetition.now();
  }

  /** The clock was set, or the machine slept: asks now where the answer has ended, or was judged by another clock. */
  wake(): void {
    const isAhead = (this.#fetchedAt ?? 0) > this.#options.clock();
    if (!this.#isFresh || isAhead || this.#problem.detail !== null) void this.refresh();
    else this.#repetition.schedule();
  }

  /** The operator wants what is kept dropped, in memory and on disk: it is asked for anew. */
  async forget(): Promise<void> {
    await this.#repetition.interrupt();
    if (this.#ended) return;
    await this.#options.cache.write(() => forgetOcsp(this.#place));
    this.#answer = null;
    this.#fact = null;
    this.#fetchedAt = null;
    this.#problem.ends();
    this.#tell({ action: 'forgotten', address: this.#addresses.join(' ') });
    this.#options.onChange();
    void this.refresh();
  }

  /** The policy has another pause than before. */
  reschedule(): void {
    this.#repetition.schedule();
  }

  /** `forget`: nobody wants to know of this certificate any more. */
  async end({ forget }: { readonly forget: boolean }): Promise<void> {
    this.#ended = true;
    this.#settle();
    await this.#repetition.end();
    if (forget) await this.#options.cache.write(() => forgetOcsp(this.#place));
  }

  get #place(): OcspPlace {
    return { folder: this.#options.folder, sha256: this.#options.certificate.sha256 };
  }

  async #recall(): Promise<void> {
    const { cache, certificate, issuer, clock, policy } = this.#options;
    const stored = await cache.read(() => loadOcsp(this.#place));
    if (stored === null || this.#ended) return;
    const { grace } = policy();
    const reading = readOcspResponse(stored.bytes, { certificate, issuer, now: clock(), grace });
    if (!reading.ok) {
      if (reading.problem !== 'expired')
        this.#tell({ action: 'ocsp_refused', detail: `from the cache: ${describeRefusal(reading)}` });
      return;
    }
    this.#use({ address: stored.url, answer: reading.answer }, stored.fetchedAt);
    this.#settle();
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { isPatient, slots } = this.#options;
    const answered =
      isPatient || this.#isSettled ? await slots.run(() => this.#ask(signal)) : await this.#ask(signal);
    if (signal.aborted) return;
    if (answered !== null) this.#adopt(answered);
    else this.#admitFailure();
    this.#fruitless = answered === null || !this.#isFresh ? this.#fruitless + 1 : 0;
    this.#settle();
    if (answered !== null && isSameWord(answered.answer, this.#answer)) await this.#keep(answered);
  }

  /** null: there is no answer that counts, which has been told. */
  async #ask(signal: AbortSignal): Promise<OcspAnswered | null> {
    const { certificate, issuer, timeout, tlsCa, clock, isRevoked } = this.#options;
    const asked = await askResponders({
      ...{ certificate, issuer, addresses: this.#addresses, timeout, signal, clock, isRevoked },
      ...{ ca: tlsCa(), last: this.#answer },
    });
    if (asked.ok) return asked;
    if (!signal.aborted) this.#problem.occurs(asked.failures);
    return null;
  }

  #adopt({ address, answer }: Pick<OcspAnswered, 'address' | 'answer'>): void {
    const last = this.#answer;
    const hadProblem = this.#problem.ends();
    this.#fetchedAt = this.#options.clock();
    if (last?.status !== answer.status)
      this.#tell({ action: 'ocsp_fetched', address, detail: describeAnswer(answer) });
    else if (hadProblem) this.#tell({ action: 'ocsp_confirmed', address, detail: describeAnswer(answer) });
    if (succeed(answer, last, this.#options.clock()) === 'new')
      this.#use({ address, answer }, this.#fetchedAt);
  }

  #use({ address, answer }: Pick<OcspAnswered, 'address' | 'answer'>, at: number): void {
    this.#answer = answer;
    this.#fetchedAt = at;
    const freshUntil = answer.status === 'good' ? answer.freshUntil : 0;
    this.#state({
      status: answer.status,
      freshUntil,
      address,
      detail: describeAnswer(answer),
      problem: null,
      responder: checkedResponder(answer.responder),
    });
  }

  /** Of a good answer that holds nothing is said: while a responder is away, every failure would be a new snapshot. */
  #admitFailure(): void {
    const { detail: problem } = this.#problem;
    const address = this.#addresses.join(' ');
    if (this.#answer === null)
      this.#state({
        status: 'failed',
        freshUntil: 0,
        address,
        detail: problem ?? 'no answer',
        problem: null,
        responder: null,
      });
    else if (this.#answer.status === 'good' && this.#fact !== null && !this.#isFresh)
      this.#state({ ...this.#fact, problem });
  }

  #state(word: Omit<OcspFact, 'certificate'>): void {
    const { certificate, onChange } = this.#options;
    const before = this.#fact;
    if (
      before?.status === word.status &&
      before.freshUntil === word.freshUntil &&
      before.detail === word.detail &&
      before.address === word.address &&
      before.problem === word.problem &&
      before.responder?.tbsSha256 === word.responder?.tbsSha256
    )
      return;
    this.#fact = { certificate: certificate.tbsSha256, ...word };
    onChange();
  }

  async #keep({ address: url, bytes }: OcspAnswered): Promise<void> {
    const fetchedAt = this.#fetchedAt ?? 0;
    await this.#options.cache.write(() => saveOcsp(this.#place, { url, fetchedAt, bytes }));
  }

  get #isFresh(): boolean {
    return isFresh(this.#answer, this.#options.clock());
  }

  #pause(): number {
    const { policy, clock, random } = this.#options;
    const { status = null, freshUntil = null } = this.#answer ?? {};
    return ocspPause({
      failures: this.#fruitless,
      refresh: policy().refresh,
      // A revocation does not end.
      end: status === 'revoked' ? null : freshUntil,
      now: clock(),
      random: random(),
    });
  }

  #settle(): void {
    this.#isSettled = true;
    this.#settled.resolve();
  }

  #tell(telling: Telling): void {
    const certificate = this.#options.certificate.subject;
    if (!this.#ended) this.#options.tell({ certificate, ...telling });
  }
}
