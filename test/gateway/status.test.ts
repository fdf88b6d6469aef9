/** `/api/status` of the real process: what it says after handshakes and messages, and what it never says. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Status, statusSchema } from '../../src/admin/status.ts';
import { failureReasons } from '../../src/handshake/failure-reasons.ts';
import { denyReasons } from '../../src/identity/deny-reasons.ts';
import { eventually } from '../support/eventually.ts';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import type { Gateway } from '../support/process/gateway.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

async function status(gateway: Gateway): Promise<Status> {
  const { status: code, body } = await gateway.admin('/api/status');
  expect(code).toBe(200);
  return JSON.parse(body) as Status;
}

/** The first document that fits. */
function statusWhen(gateway: Gateway, fits: (document: Status) => boolean): Promise<Status> {
  return eventually(async () => {
    const document = await status(gateway);
    return fits(document) ? document : undefined;
  });
}
