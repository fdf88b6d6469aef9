import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ocspResponders } from '../../src/issuing/revocation-sources.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { statusOf } from '../support/http/http.ts';
import { authority, type Leaf } from '../support/pki/authority.ts';
import { type Client, post } from '../support/process/client.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { openStage, type Stage } from '../support/process/stage.ts';
import { distributionPoints } from '../support/revocation/crl.ts';
import { openOcspResponder } from '../support/revocation/ocsp-responder.ts';
import { openDirectory } from '../support/trust/directory.ts';

const seconds = 1000;

/** Sends messages one after the other until the connection ends; `answered` counts complete responses. */
class MessageLoop {
  answered = 0;
  readonly #answers = new EventTarget();
  readonly done: Promise<void>;
  readonly #client: Client;
  #ended = false;

  constructor(client: Client) {
    this.#client = client;
    this.done = this.#send();
  }

  /** Resolves when `count` more messages were answered. */
  async goOn(count: number): Promise<void> {
    const goal = this.answered + count;
    while (this.answered < goal && !this.#ended) await once(this.#answers, 'answer');
    expect(this.#ended).toBe(false);
  }

  async #send(): Promise<void> {
    for (;;) {
      const answer = await this.#client.exchange(post()).catch(() => null);
      if (answer === null || statusOf(answer) !== 200) break;
      this.answered++;
      this.#answers.dispatchEvent(new Event('answer'));
    }
    this.#ended = true;
    this.#answers.dispatchEvent(new Event('answer'));
  }
}

interface Scene extends AsyncDisposable {
  readonly stage: Stage;
  /** `withdrawn` is the client that the change denies; `other` stays authorized. */
  readonly withdrawn: { readonly leaf: Leaf; readonly localAddress?: string };
  readonly other: { readonly leaf: Leaf; readonly localAddress?: string };
  change(): Promise<unknown>;
}

const scenes: Record<string, () => Promise<Scene & { readonly reason: string }>> = {
  async 'a CRL from a URL'() {
    await using opened = new AsyncDisposableStack();
    const pki = authority();
    const directory = opened.use(await openDirectory({ '/ca.crl': pki.crl().der }, { secure: false }));
    const extensions = [distributionPoints([{ urls: [`${directory.origin}/ca.crl`] }])];
    const [withdrawn, other] = [pki.issueClient({ extensions }), pki.issueClient({ extensions })];
    const stage = opened.use(
      await openStage({ authority: pki, config: trusting({ refresh: '200ms', firstContact: '5s' }) }),
    );
    return scene(opened, { stage, withdrawn, other, reason: 'revoked' }, async () => {
      directory.files.set('/ca.crl', pki.crl({ number: 2, revoked: [{ serial: withdrawn }] }).der);
    });
  },

  async 'a CRL in a file'() {
    await using opened = new AsyncDisposableStack();
    const pki = authority();
    const [withdrawn, other] = [pki.issueClient(), pki.issueClient()];
    const revocation = { crl: ['ca.crl'], scope: 'leaf' };
    const stage = opened.use(
      await openStage({ authority: pki, files: { 'ca.crl': pki.crl().pem }, config: trusting(revocation) }),
    );
    return scene(opened, { stage, withdrawn, other, reason: 'revoked' }, () =>
      stage.gateway.write('ca.crl', pki.crl({ number: 2, revoked: [{ serial: withdrawn }] }).pem),
    );
  },

  async 'an OCSP answer'() {
    await using opened = new AsyncDisposableStack();
    const pki = authority();
    const responder = opened.use(await openOcspResponder({ issuers: [pki.issuing, pki.root] }));
    const extensions = [ocspResponders([responder.url])];
    const [withdrawn, other] = [pki.issueClient({ extensions }), pki.issueClient({ extensions })];
    const stage = opened.use(
      await openStage({ authority: pki, config: trusting({ refresh: '200ms', firstContact: '5s' }) }),
    );
    return scene(opened, { stage, withdrawn, other, reason: 'revoked' }, async () => {
      responder.statuses.set(parseCertificate(withdrawn.der).serial, { revokedAt: Date.now() - seconds });
    });
  },

  async 'an anchor that is gone'() {
    await using opened = new AsyncDisposableStack();
    const [pki, second] = [authority(), authority({ name: 'Second' })];
    const own = { name: 'example', files: ['anchor.pem'] };
    const trust = { anchors: [own, { name: 'second', files: ['second.pem'] }], cacheDir: 'trust' };
    const clients = { match: [{ commonName: 'Example client' }, { commonName: 'Second client' }] };
    const stage = opened.use(
      await openStage({
        authority: pki,
        files: { 'second.pem': second.anchorPem },
        config: { trust, clients },
      }),
    );
    return scene(
      opened,
      { stage, withdrawn: second.issueClient(), other: pki.issueClient(), reason: 'untrusted' },
      () => stage.reload({ trust: { ...trust, anchors: [own] } }),
    );
  },

  async 'a pin that is gone'() {
    await using opened = new AsyncDisposableStack();
    const pki = authority();
    const [withdrawn, other] = [pki.issueClient(), pki.issueClient()];
    const pinOf = ({ der }: Leaf) => `sha256/${parseCertificate(der).spkiPin}`;
    const clients = { pins: [pinOf(withdrawn), pinOf(other)] };
    const stage = opened.use(await openStage({ authority: pki, config: { clients } }));
    return scene(opened, { stage, withdrawn, other, reason: 'pin_mismatch' }, () =>
      stage.reload({ clients: { pins: [pinOf(other)] } }),
    );
  },

  async 'another allowlist'() {
    await using opened = new AsyncDisposableStack();
    const clients = (allowlist: string[]) => ({ clients: { allowlist, anyCertificateOfAnchor: true } });
    const stage = opened.use(await openStage({ config: clients(['127.0.0.1', '127.0.0.2']) }));
    const { leaf } = stage;
    const facts = { stage, withdrawn: leaf, other: leaf, reason: 'address_refused' };
    return scene(opened, { ...facts, localAddress: '127.0.0.2' }, () => stage.reload(clients(['127.0.0.1'])));
  },

  async 'other matches'() {
    await using opened = new AsyncDisposableStack();
    const pki = authority();
    const withdrawn = pki.issueClient({ subject: { CN: 'withdrawn' } });
    const match = [{ commonName: 'Example client' }, { commonName: 'withdrawn' }];
    const stage = opened.use(await openStage({ authority: pki, config: { clients: { match } } }));
    return scene(opened, { stage, withdrawn, other: pki.issueClient(), reason: 'match_mismatch' }, () =>
      stage.reload({ clients: { match: match.slice(0, 1) } }),
    );
  },

  async 'the end of a leaf'() {
    await using opened = new AsyncDisposableStack();
    const pki = authority();
    const stage = opened.use(await openStage({ authority: pki }));
    // Certificate times are in whole seconds. Counted from now, because the start of a process may take as long.
    const withdrawn = pki.issueClient({ notAfter: Math.ceil(Date.now() / seconds) * seconds + 8 * seconds });
    return scene(opened, { stage, withdrawn, other: pki.issueClient(), reason: 'expired' }, async () => {});
  },
};

function trusting(revocation: object): Record<string, unknown> {
  return { trust: { anchors: [{ name: 'example', files: ['anchor.pem'], revocation }], cacheDir: 'trust' } };
}

function scene(
  opened: AsyncDisposableStack,
  facts: { stage: Stage; withdrawn: Leaf; other: Leaf; reason: string; localAddress?: string },
  change: () => Promise<unknown>,
) {
  const { stage, withdrawn, other, reason, localAddress } = facts;
  const stack = opened.move();
  return {
    ...{ stage, reason, change },
    withdrawn: { leaf: withdrawn, ...(localAddress === undefined ? {} : { localAddress }) },
    other: { leaf: other },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const isLive = ({ type, stage }: AuditRecord) => type === 'verdict' && stage === 'live';

describe('closes the open connections of a client that is denied after a change of', () => {
  it.each(Object.keys(scenes))('%s', async (name) => {
    await using opened = await (scenes[name] as () => Promise<Scene & { reason: string }>)();
    const { stage, withdrawn, other, reason, change } = opened;
    const busy = await stage.connect(withdrawn);
    const idle = await stage.connect(withdrawn);
    const bystander = await stage.connect(other);
    const talk = new MessageLoop(busy);
    const goesOn = new MessageLoop(bystander);
    await Promise.all([talk.goOn(3), goesOn.goOn(3), idle.exchange(post())]);

    await change();

    // The idle connection is closed without a response, the busy one after the response in flight or a refusal.
    expect(await idle.rest()).toEqual(Buffer.alloc(0));
    expect(idle.error).toBeUndefined();
    await talk.done;
    const live = () => stage.gateway.records().filter(isLive);
    while (live().length < 2) await stage.gateway.next(isLive);
    expect(live().map((record) => [record.verdict, record.reason, record.leaf.serial])).toEqual(
      Array(2).fill(['deny', reason, parseCertificate(withdrawn.leaf.der).serial]),
    );

    // The other client is not affected, and the denied client is not accepted again.
    await goesOn.goOn(5);
    const again = await stage.send(post(), withdrawn).catch(() => null);
    expect(again === null ? 'closed' : statusOf(again)).toBe(reason === 'address_refused' ? 'closed' : 403);
    expect(stage.gateway.records().filter(({ type, status }) => type === 'message' && status >= 500)).toEqual(
      [],
    );
    const metric = `ehi_permits_withdrawn_total{reason="${reason}"}`;
    await metricsWhen(stage.gateway, (samples) => samples.get(metric) === 2);
    await bystander[Symbol.asyncDispose]();
    await goesOn.done;
  });
});
