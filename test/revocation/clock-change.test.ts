/** A clock that is set, and a machine that slept: what has ended, or was judged by another clock, is asked for at once. */
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

describe('a list', () => {
  it('that had ended by a clock that lay ahead is in use again when the clock is put back', async () => {
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
    await stage.told('crl_expired');
    await stage.pass(0);
    expect(status()).toBe('unknown');
    const asked = requests(stage);

    time.jump(-3 * day);
    revocation.wake();
    expect(status()).toBe('good');
    await stage.pass(0);
    expect(requests(stage), 'asked at once, and once').toBe(asked + 1);
    expect(revocation.sources()).toMatchObject([{ failures: 0, problem: null, fetchedAt: start }]);
    expect(crlNumbers(revocation)).toEqual([5]);
    // And from then on as ever.
    await stage.pass(hour);
    expect(requests(stage)).toBe(asked + 2);
  });

  it('that ended while the machine slept is asked for at once, and then more and more slowly', async () => {
    await using stage = await openWithCrl();
    const { revocation, time, directory } = stage;
    directory.misbehaviour = misbehaviours.fail;
    time.jump(3 * day);
    revocation.wake();
    await stage.told('crl_fetch_failed');
    const before = requests(stage);
    await stage.pass(15_000);
    expect(requests(stage) - before, 'after 1, 2, 4 and 8 seconds').toBe(4);

    directory.misbehaviour = null;
    directory.files.set('/own.crl', stage.crl({ number: 6 }).der);
    revocation.wake();
    await stage.told('crl_fetched');
    expect(crlNumbers(revocation)).toEqual([6]);
  });

  it('that still holds is not asked for, but its end is looked for by the new clock', async () => {
    await using stage = await openWithCrl();
    const { revocation, time } = stage;
    time.jump(20 * hour);
    revocation.wake();
    expect(requests(stage)).toBe(1);
    // 4 of 24 hours are left: it is asked for when most of them have passed, and not in an hour of the old plan.
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
    const fact = () => revocation.material('own').ocsp[0];
    return { ...stage, revocation, fact, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }

  it('that ended while the machine slept is asked for at once', async () => {
    await using stage = await openWithAnswer();
    const { revocation, time, responder, fact } = stage;
    const before = fact()?.freshUntil ?? 0;
    time.jump(3 * day);
    revocation.wake();
    await stage.until(() => (fact()?.freshUntil ?? 0) > before);
    expect(responder.asked).toHaveLength(2);
  });

  it('of a clock that lay ahead is asked for anew when the clock is put back', async () => {
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

it('everything is asked for when somebody asks', async () => {
  await using stage = await openWithCrl();
  const leaf = stage.leaf({ ocsp: true });
  await stage.revocation.contact('own', leaf.der);
  await stage.pass(0);
  const [lists, answers] = [requests(stage), stage.responder.asked.length];
  await stage.revocation.refresh();
  expect([requests(stage), stage.responder.asked.length]).toEqual([lists + 1, answers + 1]);
});
