/** A gateway with something to see: messages, an authorized client, refused ones. */
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

/** Would be an element if anything took it for HTML. */
export const markup = '<img src=x onerror=alert(1)>';
/** Behind a right-to-left override a name is shown backwards. */
const reordered = '\u202etxt';

export interface VisitedStage extends Stage {
  /** Of the admin port, with a slash at its end. */
  readonly url: string;
}

/** Two messages by a good client; handshakes without a certificate, with a strange one, and with one full of markup. */
export async function openVisitedStage(): Promise<VisitedStage> {
  const stage = await openStage();
  try {
    await stage.send(post());
    await stage.send(post({ target: `/${encodeURI(markup)}?<script>alert(1)</script>` }));
    await stage.send(post(), { leaf: undefined });
    const stranger = authority({ name: 'Stranger' });
    await stage.send(post(), { leaf: stranger.issueClient() });
    const written = authority({ name: markup });
    const subject = {
      CN: `<script>alert(1)</script>`,
      O: `${markup}${reordered}`,
      OU: '"><svg onload=alert(1)>',
    };
    await stage
      .send(post(), {
        leaf: written.issueClient({ subject }),
        servername: '<b>sni',
        checkServerIdentity: () => undefined,
      })
      .catch(() => {});
    const { address, port } = stage.gateway.ready.admin;
    return { ...stage, url: `http://${address}:${port}/` };
  } catch (error) {
    await stage[Symbol.asyncDispose]();
    throw error;
  }
}
