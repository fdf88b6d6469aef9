/** After the clock was set or the machine was suspended, expired data and data of another clock are fetched at once. */
import { describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { RevocationCheck } from '../../src/revocation/judgement.ts';
import {
  crlNumbers,
  day,
  hour,
  minute,
  openStage,
  openWithCrl,
  type Stage,
  start,
} from '../support/revocation/stage.ts';
import { misbehaviours } from '../support/trust/directory.ts';

const requests = ({ directory }: Pick<Stage, 'directory'>) => directory.requests.length;

describe('a CRL', () => {
  it('that expired by a clock that was ahead is valid again when the clock is put back', async () => {
    await using stage = await openWithCrl();
    const { revocation, time, revocable } = stage;
    const [root, issuing] = stage.certificatesOf(stage.own);
    const leaf = parseCertificate(revocable.der);
    const status = () =>
      new RevocationCheck(revocation.material('own'), [root, issuing]).resultOf(
        [leaf, issuing, root],
        time.now,
      ).status;
    time.jump(3 * day);
    revocation.wake();
    await stage.reported('crl_expired');
    await stage.pass(0);
    expect(status()).toBe('unknown');
    const asked = requests(stage);

    time.jump(-3 * day);
    revocation.wake();
    expect(status()).toBe('good');
    await stage.pass(0);
    expect(requests(stage), 'fetched at once, and once').toBe(asked + 1);
    expect(revocation.sources()).toMatchObject([{ failures: 0, problem: null, fetchedAt: start }]);
    expect(crlNumbers(revocation)).toEqual([5]);
    // And from then on at the normal interval.
    await stage.pass(hour);
    expect(requests(stage)).toBe(asked + 2);
  });

  it('that expired while the machine was suspended is fetched at once, and then with backoff', async () => {
    await using stage = await openWithCrl();
    const { revocation, time, directory } = stage;
    directory.misbehaviour = misbehaviours.fail;
    time.jump(3 * day);
    revocation.wake();
    await stage.reported('crl_fetch_failed');
    const before = requests(stage);
    await stage.pass(15_000);
    expect(requests(stage) - before, 'after 1, 2, 4 and 8 seconds').toBe(4);

    directory.misbehaviour = null;
    directory.files.set('/own.crl', stage.crl({ number: 6 }).der);
    revocation.wake();
    await stage.reported('crl_fetched');
    expect(crlNumbers(revocation)).toEqual([6]);
  });

  it('that is still valid is not fetched, and its expiry follows the new clock', async () => {
    await using stage = await openWithCrl();
    const { revocation, time } = stage;
    time.jump(20 * hour);
    revocation.wake();
    expect(requests(stage)).toBe(1);
    // 4 of 24 hours are left: it is fetched when most of them have passed, not after the hour that was scheduled before.
    stage.directory.misbehaviour = misbehaviours.fail;
    await stage.pass(4 * hour + minute);
    expect(stage.actions()).toEqual(['crl_fetch_failed', 'crl_stale']);
  });
});

describe('an OCSP answer', () => {
  async function openWithAnswer() {
    await using opened = new AsyncDisposableStack();
    const stage = opened.use(await openStage());
    const leaf = stage.leaf({ ocsp: true });
    const revocation = await stage.open();
    await revocation.contact('own', leaf.der);
    await stage.pass(0);
    stage.actions();
    const stack = opened.move();
    const result = () => revocation.material('own').ocsp[0];
    return { ...stage, revocation, result, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }

  it('that expired while the machine was suspended is refreshed at once', async () => {
    await using stage = await openWithAnswer();
    const { revocation, time, responder, result } = stage;
    const before = result()?.freshUntil ?? 0;
    time.jump(3 * day);
    revocation.wake();
    await stage.until(() => (result()?.freshUntil ?? 0) > before);
    expect(responder.asked).toHaveLength(2);
  });

  it('of a clock that was ahead is refreshed when the clock is put back', async () => {
    await using stage = await openWithAnswer();
    const { revocation, time, responder } = stage;
    time.jump(3 * day);
    revocation.wake();
    await stage.pass(0);
    expect(responder.asked).toHaveLength(2);
    time.jump(-3 * day);
    revocation.wake();
    await stage.pass(0);
    expect(responder.asked).toHaveLength(3);
  });
});

it('a refresh fetches from every source', async () => {
  await using stage = await openWithCrl();
  const leaf = stage.leaf({ ocsp: true });
  await stage.revocation.contact('own', leaf.der);
  await stage.pass(0);
  const [lists, answers] = [requests(stage), stage.responder.asked.length];
  await stage.revocation.refresh();
  expect([requests(stage), stage.responder.asked.length]).toEqual([lists + 1, answers + 1]);
});
