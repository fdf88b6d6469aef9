/** `trust.anchors[].revocation`, setting by setting: the sources of a path, their data, and the result for the client. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ocspResponders } from '../../src/issuing/revocation-sources.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import type { RawExtension } from '../../src/pki/der-writer.ts';
import { eventually } from '../support/eventually.ts';
import { type Authority, authority, type Leaf } from '../support/pki/authority.ts';
import { metricsWhen, type Samples } from '../support/process/metrics.ts';
import type { Stage } from '../support/process/stage.ts';
import { distributionPoints, issueCrl } from '../support/revocation/crl.ts';
import { type OcspResponder, openOcspResponder } from '../support/revocation/ocsp-responder.ts';
import { openSite, revocationRecord, type SiteAnchor, valuesOf, visit } from '../support/revocation/site.ts';
import { type Directory, openDirectory } from '../support/trust/directory.ts';

const hour = 3_600_000;

interface Tools {
  /** Name of the anchor. */
  readonly name: string;
  readonly directory: Directory;
  readonly responder: OcspResponder;
  /** An extension that names these: paths of the directory or whole URLs. */
  crl(...places: string[]): RawExtension;
  ocsp(): RawExtension;
  /** Serves a CRL of the CA at the path, with these certificates revoked. */
  publish(place: string, issuer: Authority['issuing'], revoked?: readonly Leaf[]): void;
  /** The extensions of the issuing CA, and of its client. */
  make(ca: RawExtension[], client: RawExtension[]): { pki: Authority; leaf: Leaf };
  revokeByOcsp(leaf: { readonly der: Uint8Array }): void;
}

interface Row {
  readonly pki: Authority;
  readonly leaf: Leaf;
  readonly revocation: object;
  readonly files?: Record<string, string>;
  readonly expected: { readonly status: number; readonly reason?: string; readonly revocation: string };
  /** Paths that the gateway must fetch from the directory. */
  readonly asks?: readonly string[];
  readonly asksNot?: readonly string[];
  check?(stage: Stage): Promise<unknown>;
}

const good = { status: 200, revocation: 'good' };
const revoked = { status: 403, reason: 'revoked', revocation: 'revoked' };
const unknown = { status: 403, reason: 'revocation_unknown', revocation: 'unknown' };
const notChecked = { status: 200, revocation: 'not_checked' };
const leafOnly = { scope: 'leaf', firstContact: '5s' };

const rows: Record<string, (tools: Tools) => Row> = {
  'queries nothing when crl and ocsp are off'({ make, crl, ocsp, publish, revokeByOcsp, responder }) {
    const { pki, leaf } = make([], [crl('/off.crl'), ocsp()]);
    publish('/off.crl', pki.issuing, [leaf]);
    revokeByOcsp(leaf);
    const revocation = { ...leafOnly, crl: 'off', ocsp: 'off' };
    const check = async () => expect(responder.asked).not.toContain(parseCertificate(leaf.der).serial);
    return { pki, leaf, revocation, expected: notChecked, asksNot: ['/off.crl'], check };
  },
  'applies a CRL in a file to leaves that name no CRL'({ make }) {
    const { pki, leaf } = make([], []);
    const files = { 'own.crl': pki.crl({ revoked: [{ serial: leaf }] }).pem };
    return { pki, leaf, files, revocation: { ...leafOnly, crl: ['own.crl'] }, expected: revoked };
  },
  'fetches a configured URL instead of the CRL that the leaf names'({ make, crl, publish, directory }) {
    const { pki, leaf } = make([], [crl('/named.crl')]);
    publish('/named.crl', pki.issuing, [leaf]);
    publish('/configured.crl', pki.issuing);
    const revocation = { ...leafOnly, crl: [`${directory.origin}/configured.crl`] };
    const asks = { asks: ['/configured.crl'], asksNot: ['/named.crl'] };
    return { pki, leaf, revocation, expected: good, ...asks };
  },
  'denies a leaf that the CRL of a file or of a URL revokes'({ make, publish, directory }) {
    const { pki, leaf } = make([], []);
    publish('/list.crl', pki.issuing, [leaf]);
    const files = { 'list.crl': pki.crl().pem };
    const crl = ['list.crl', `${directory.origin}/list.crl`];
    return { pki, leaf, files, revocation: { ...leafOnly, crl }, expected: revoked };
  },
  'queries a configured responder for leaves that name none'({ make, responder, revokeByOcsp }) {
    const { pki, leaf } = make([], []);
    revokeByOcsp(leaf);
    return { pki, leaf, revocation: { ...leafOnly, ocsp: responder.url }, expected: revoked };
  },
  'denies the leaves of a revoked issuing CA with scope chain'({ make, crl, publish }) {
    const { pki, leaf } = make([crl('/chain-root.crl')], [crl('/chain.crl')]);
    publish('/chain.crl', pki.issuing);
    publish('/chain-root.crl', pki.root, [pki.issuing as Leaf]);
    return { pki, leaf, revocation: { firstContact: '5s' }, expected: revoked, asks: ['/chain-root.crl'] };
  },
  'does not check the revocation of the issuing CA with scope leaf'({ make, crl, publish }) {
    const { pki, leaf } = make([crl('/leaf-root.crl')], [crl('/leaf.crl')]);
    publish('/leaf.crl', pki.issuing);
    publish('/leaf-root.crl', pki.root, [pki.issuing as Leaf]);
    return { pki, leaf, revocation: leafOnly, expected: good, asksNot: ['/leaf-root.crl'] };
  },
  'accepts and reports a path without sources as not checked'({ make, name }) {
    const { pki, leaf } = make([], []);
    const certificate = parseCertificate(pki.issuing.der).subject;
    const check = async ({ gateway }: Stage) => {
      await revocationRecord(gateway, { event: 'not_checked', anchor: name, certificate });
      const line = await gateway.logged(({ action, anchor }) => action === 'not_checked' && anchor === name);
      expect(line).toMatchObject({ level: 40, certificate });
    };
    return { pki, leaf, revocation: {}, expected: notChecked, check };
  },
  'skips an address that is not http or https, and leaves revocation unknown'({ make, crl, name }) {
    const { pki, leaf } = make([], [crl('ldap://directory.example/cn=ca?certificateRevocationList')]);
    const check = async ({ gateway }: Stage) => {
      const event = await revocationRecord(gateway, { event: 'address_skipped', anchor: name });
      expect(event.address).toMatch(/^ldap:/);
      await skipped(gateway, name, 1);
    };
    return { pki, leaf, revocation: leafOnly, expected: unknown, check };
  },
  'uses the first 16 of more addresses'({ make, crl, publish, name, directory }) {
    const paths = Array.from({ length: 18 }, (_, index) => `/many/${index}.crl`);
    const { pki, leaf } = make([], [crl(...paths)]);
    publish('/many/15.crl', pki.issuing);
    publish('/many/17.crl', pki.issuing, [leaf]);
    const check = async ({ gateway }: Stage) => {
      await revocationRecord(gateway, {
        event: 'too_many_addresses',
        address: `${directory.origin}/many/17.crl`,
      });
      await skipped(gateway, name, 2);
    };
    const asks = { asks: paths.slice(0, 16), asksNot: paths.slice(16) };
    return { pki, leaf, revocation: leafOnly, expected: good, check, ...asks };
  },
  'denies a leaf that a CRL revokes despite a good OCSP response'({ make, crl, ocsp, publish }) {
    const { pki, leaf } = make([], [crl('/by-crl.crl'), ocsp()]);
    publish('/by-crl.crl', pki.issuing, [leaf]);
    return { pki, leaf, revocation: leafOnly, expected: revoked };
  },
  'denies a leaf that OCSP revokes despite a good CRL'({ make, crl, ocsp, publish, revokeByOcsp }) {
    const { pki, leaf } = make([], [crl('/by-ocsp.crl'), ocsp()]);
    publish('/by-ocsp.crl', pki.issuing);
    revokeByOcsp(leaf);
    return { pki, leaf, revocation: leafOnly, expected: revoked };
  },
  'accepts one good response when the other source has none'({ make, crl, ocsp }) {
    const { pki, leaf } = make([], [crl('/missing.crl'), ocsp()]);
    return { pki, leaf, revocation: leafOnly, expected: good, asks: ['/missing.crl'] };
  },
};

function skipped(gateway: Stage['gateway'], anchor: string, count: number): Promise<Samples> {
  const name = 'ehi_revocation_addresses_skipped_total';
  return metricsWhen(gateway, (samples) => valuesOf(samples, name, { anchor })[0] === count);
}

const opened = new AsyncDisposableStack();
const made = new Map<string, Row>();
let directory: Directory;
let stage: Stage;

beforeAll(async () => {
  directory = opened.use(await openDirectory({}, { secure: false }));
  const issuers: Authority['issuing'][] = [];
  const responder = opened.use(await openOcspResponder({ issuers }));
  const files: Record<string, string> = {};
  const anchors: SiteAnchor[] = [];
  for (const [index, title] of Object.keys(rows).entries()) {
    const name = `row-${index}`;
    const row = (rows[title] as (tools: Tools) => Row)({
      ...{ name, directory, responder },
      crl: (...places) =>
        distributionPoints([{ urls: places.map((place) => new URL(place, directory.origin).href) }]),
      ocsp: () => ocspResponders([responder.url]),
      publish: (place, issuer, serials = []) => {
        const times = { thisUpdate: Date.now() - hour, nextUpdate: Date.now() + hour };
        const list = serials.map((serial) => ({ serial }));
        directory.files.set(place, issueCrl({ issuer, revoked: list, ...times }).der);
      },
      make: (ca, client) => {
        const pki = authority({ name: title.slice(0, 40), issuing: { extensions: ca } });
        issuers.push(pki.issuing, pki.root);
        return { pki, leaf: pki.issueClient({ extensions: client }) };
      },
      revokeByOcsp: ({ der }) =>
        responder.statuses.set(parseCertificate(der).serial, { revokedAt: Date.now() - hour }),
    });
    made.set(title, row);
    Object.assign(files, row.files);
    anchors.push({ name, pki: row.pki, revocation: row.revocation });
  }
  stage = opened.use(await openSite(anchors, { files }));
});
afterAll(() => opened.disposeAsync());

describe('the policy of an anchor', () => {
  it.each(Object.keys(rows))('%s', async (title) => {
    const { leaf, expected, asks = [], asksNot = [], check } = made.get(title) as Row;
    const { status, record } = await visit(stage, leaf);
    const { reason = null, revocation } = expected;
    expect({ status, ...record }).toMatchObject({ status: expected.status, reason, revocation });
    // The result of one source may be enough before the others were asked.
    const asked = await eventually(
      () => directory.requests.map(({ path }) => path),
      (paths) => asks.every((path) => paths.includes(path)),
    );
    expect(asked.filter((path) => asksNot.includes(path))).toEqual([]);
    await check?.(stage);
  });

  // Checks are counted by result.
  afterAll(async () => {
    for (const [index, { expected }] of [...made.values()].entries()) {
      const labels = { anchor: `row-${index}`, status: expected.revocation };
      await metricsWhen(
        stage.gateway,
        (samples) => valuesOf(samples, 'ehi_revocation_checks_total', labels)[0] === 1,
      );
    }
  });
});
