/** A message after the end of its client's permit is refused with a response; the connection is not just closed. */
import { expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { openStage } from '../support/process/stage.ts';

const second = 1000;

it('answers 403 to the first message after the leaf expires', async () => {
  await using stage = await openStage();
  for (;;) {
    // Certificate times are in whole seconds.
    const notAfter = Math.ceil(Date.now() / second) * second + second;
    const leaf = stage.authority.issueClient({ notAfter });
    await using client = await stage.connect({ leaf });
    let answer = await client.exchange(post()).catch(() => null);
    // On a busy machine the leaf may expire before its handshake.
    if (answer === null || statusOf(answer) !== 200) continue;
    while (answer !== null && statusOf(answer) === 200)
      answer = await client.exchange(post()).catch(() => null);

    const { serial } = parseCertificate(leaf.der);
    const live = await stage.gateway.audit(
      (record) => record.stage === 'live' && record.leaf.serial === serial,
    );
    expect(live).toMatchObject({ verdict: 'deny', reason: 'expired' });
    const refused = stage.gateway
      .records()
      .find(({ type, conn_id, reason }) => type === 'message' && conn_id === live.conn_id && reason !== null);
    // The check that runs every second may precede the message: then the idle connection is closed, and another is tried.
    if (refused === undefined) continue;
    expect(refused).toMatchObject({ reason: 'permit_withdrawn', status: 403 });
    expect(answer && statusOf(answer)).toBe(403);
    return;
  }
});
