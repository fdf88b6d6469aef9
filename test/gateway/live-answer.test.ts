/** A message whose permit has just ended is refused with an answer, not with silence. */
import { expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { openStage } from '../support/process/stage.ts';

const second = 1000;

it('answers 403 to the first message after the leaf’s end', async () => {
  await using stage = await openStage();
  for (;;) {
    // A certificate's times are whole seconds.
    const notAfter = Math.ceil(Date.now() / second) * second + second;
    const leaf = stage.authority.issueClient({ notAfter });
    await using client = await stage.connect({ leaf });
    let answer = await client.exchange(post()).catch(() => null);
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
    // The look that is taken every second may have been sooner than the message: then it was idle, and another tries.
    if (refused === undefined) continue;
    expect(refused).toMatchObject({ reason: 'permit_withdrawn', status: 403 });
    expect(answer && statusOf(answer)).toBe(403);
    return;
  }
});
