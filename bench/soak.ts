/** `npm run soak -- reloads|key-rotation|large-crl|rolling-update|slowloris|…`: runs that take too long for a test, or need an idle machine. */
import { soakFlood } from './soak/floods.ts';
import { soakKeyRotation } from './soak/key-rotation.ts';
import { soakLargeCrl } from './soak/large-crl.ts';
import { soakReloads } from './soak/reloads.ts';
import { soakRollingUpdate } from './soak/rolling-update.ts';
import { soakSlowloris } from './soak/slowloris.ts';

const soaks: Readonly<Record<string, (argument?: string) => Promise<boolean>>> = {
  reloads: soakReloads,
  'key-rotation': soakKeyRotation,
  'large-crl': soakLargeCrl,
  'rolling-update': soakRollingUpdate,
  slowloris: soakSlowloris,
  'stranger-chain': soakFlood('stranger-chain'),
  'address-share': soakFlood('address-share'),
  'key-updates': soakFlood('key-updates'),
  'tiny-records': soakFlood('tiny-records'),
};

const name = process.argv[2] ?? '';
const soak = soaks[name];
if (soak === undefined) {
  console.error(`npm run soak -- ${Object.keys(soaks).join('|')}; found ${name === '' ? 'nothing' : name}`);
  process.exitCode = 64;
} else process.exitCode = (await soak(process.argv[3])) ? 0 : 1;
