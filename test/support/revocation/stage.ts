/** A revocation service over a real file server, OCSP responder and cache folder; the test controls clock and timers. */
import { join } from 'node:path';
import type { Timers } from '../../../src/fetch/timers.ts';
import { ocspResponders } from '../../../src/issuing/revocation-sources.ts';
import { type Certificate, parseCertificate } from '../../../src/pki/certificate.ts';
import type { RevocationAction, RevocationEvent } from '../../../src/revocation/event.ts';
import { openRevocation, type Revocation, type RevocationOptions } from '../../../src/revocation/service.ts';
import type { RevocationAnchor, RevocationPolicy } from '../../../src/revocation/state.ts';
import { temporaryFolder } from '../folder.ts';
import { type Authority, authority, type Issued, type IssueOptions } from '../pki/authority.ts';
import { openDirectory } from '../trust/directory.ts';
import { type CrlOptions, distributionPoints, issueCrl } from './crl.ts';
import { openOcspResponder } from './ocsp-responder.ts';

export const start = Date.UTC(2026, 0, 15, 12);
export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

export const policy: RevocationPolicy = {
  ...{ crl: 'auto', ocsp: 'auto', scope: 'leaf', onUnknown: 'deny' },
  ...{ grace: day, firstContact: 100, refresh: hour },
};

/** A clock that the test advances: due timers run in order, each until its task has ended. */
class StagedTime implements Timers {
  now = start;
  readonly pending = new Set<{ readonly run: () => unknown; readonly at: number }>();
  readonly #onTimer: () => void;
  constructor(onTimer: () => void) {
    this.#onTimer = onTimer;
  }
  setTimeout(run: () => unknown, milliseconds: number) {
    const timer = { run, at: this.now + milliseconds };
    this.pending.add(timer);
    this.#onTimer();
    return timer;
  }
  clearTimeout(timer: unknown) {
    this.pending.delete(timer as never);
  }
  /** Sets the wall clock; timers still fire after their delay. */
  jump(milliseconds: number): void {
    this.now += milliseconds;
    const moved = [...this.pending].map((timer) => Object.assign(timer, { at: timer.at + milliseconds }));
    if (moved.length !== this.pending.size) throw new TypeError('a timer was lost');
  }
  /** Runs the first timer due at `end` or before, at its time; returns false, at `end`, if there is none. */
  async step(end: number): Promise<boolean> {
    const [due] = [...this.pending].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
    this.now = Math.max(this.now, due?.at ?? end);
    if (due === undefined) return false;
    this.pending.delete(due);
    await due.run();
    return true;
  }
}

export type Stage = Awaited<ReturnType<typeof openStage>>;

export interface StageOptions {
  /** The revocation sources that the issuing CA's certificate names. */
  readonly ca?: Sources;
}

export interface Sources {
  readonly crl?: readonly string[];
  readonly freshest?: readonly string[];
  readonly ocsp?: boolean;
}

export async function openStage(changes: Partial<RevocationPolicy> = {}, { ca = {} }: StageOptions = {}) {
  await using opened = new AsyncDisposableStack();
  const directory = opened.use(await openDirectory({}, { secure: false }));
  const folder = opened.use(await temporaryFolder());
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const check of waiting) check();
  };
  const time = new StagedTime(wake);
  const issuers: Issued[] = [];
  const responder = opened.use(await openOcspResponder({ issuers, now: () => time.now }));
  const url = (path: string) => (path.startsWith('/') ? `${directory.origin}${path}` : path);
  const extensionsFor = ({ crl = [], freshest = [], ocsp = false }: Sources) => [
    ...(crl.length === 0 ? [] : [distributionPoints([{ urls: crl.map(url) }])]),
    ...(freshest.length === 0 ? [] : [distributionPoints([{ urls: freshest.map(url) }], { freshest: true })]),
    ...(ocsp ? [ocspResponders([responder.url])] : []),
  ];
  const own = authority({ now: start, issuing: { extensions: extensionsFor(ca) } });
  issuers.push(own.root, own.issuing);
  const events: RevocationEvent[] = [];
  const changed: string[] = [];
  /** Resolves when the condition holds; checked after each event and change of the service. */
  const until = (isSo: () => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (!isSo()) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  const certificatesOf = ({ root, issuing: ca }: Authority) =>
    [parseCertificate(root.der), parseCertificate(ca.der)] as [Certificate, Certificate];
  const subject = (
    more: Partial<RevocationPolicy> = {},
    certificates: RevocationAnchor['certificates'] = certificatesOf(own),
  ): RevocationAnchor => ({ name: 'own', certificates, policy: { ...policy, ...changes, ...more } });
  const running = new Set<Revocation>();
  const closing: Promise<void>[] = [];
  const { grace } = { ...policy, ...changes };
  /** Opens a service; repeated calls use the same cache folder. */
  const open = async (
    subjects: readonly RevocationAnchor[] = [subject()],
    options: Partial<RevocationOptions> = {},
  ) => {
    const revocation = openRevocation({
      cacheDir: join(folder.path, 'cache'),
      onChange: (anchor) => {
        changed.push(anchor);
        wake();
      },
      onEvent: (event) => {
        events.push(event);
        wake();
      },
      clock: () => time.now,
      timers: time,
      random: () => 0,
      timeouts: { crl: 5000, ocsp: 5000 },
      ...options,
    });
    running.add(revocation);
    const close = revocation.close.bind(revocation);
    revocation.close = () => {
      running.delete(revocation);
      const closed = close();
      closing.push(closed);
      return closed;
    };
    await revocation.update(subjects);
    return revocation;
  };
  /** The number of timers while nothing is fetched: one of the service, one per source, one per CRL expiry. */
  const timersAtRest = () =>
    [...running].reduce((sum, revocation) => {
      const sources = revocation.sources();
      const ends = sources.filter(
        ({ kind, nextUpdate }) => kind === 'crl' && nextUpdate !== null && time.now <= nextUpdate + grace,
      );
      return sum + 1 + sources.length + ends.length;
    }, 0);
  /** Advances the clock; each fetch that becomes due runs until it has ended. */
  const pass = async (milliseconds: number) => {
    const end = time.now + milliseconds;
    do await until(() => time.pending.size === timersAtRest());
    while (await time.step(end));
  };
  opened.defer(async () => {
    for (const revocation of running) revocation.close();
    await Promise.all(closing);
  });
  const stack = opened.move();
  return {
    ...{ directory, responder, time, own, events, changed, open, subject, until, pass, certificatesOf, url },
    folder: folder.path,
    cacheDir: join(folder.path, 'cache'),
    /** Actions since the last call. */
    actions: (): RevocationAction[] => events.splice(0).map(({ action }) => action),
    /** Resolves when there is an event with this action since the last call of `actions`. */
    reported: (action: RevocationAction) => until(() => events.some((event) => event.action === action)),
    /** A leaf that names CRLs at these URLs or paths of the file server, and the responder. */
    leaf: (sources: Sources = {}, more: Partial<IssueOptions> = {}) =>
      own.issueClient({ extensions: extensionsFor(sources), ...more }),
    /** A CRL of the issuing CA that expires in a day. */
    crl: (options: Partial<CrlOptions> = {}) =>
      issueCrl({
        issuer: own.issuing,
        thisUpdate: time.now - minute,
        nextUpdate: time.now + day,
        ...options,
      }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export const serialOf = ({ der }: Issued) => parseCertificate(der).serial;

/** A stage whose service uses CRL number 5, with earlier events removed. */
export async function openWithCrl() {
  await using opened = new AsyncDisposableStack();
  const stage = opened.use(await openStage());
  const leaf = stage.leaf({ crl: ['/own.crl'] });
  stage.directory.files.set('/own.crl', stage.crl({ number: 5 }).der);
  const revocation = await stage.open();
  await revocation.contact('own', leaf.der);
  await stage.pass(0);
  stage.actions();
  stage.changed.length = 0;
  const stack = opened.move();
  return { ...stage, revocable: leaf, revocation, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** The numbers of the CRLs in use. */
export const crlNumbers = (revocation: Revocation) =>
  revocation.material('own').crls.map(({ number }) => Number(number));
