/** Loaded into a process before its own code (`--import`): a port cannot be shared, as on a platform without `reusePort`. */
import net from 'node:net';

const listen = net.Server.prototype.listen as (this: net.Server, ...args: unknown[]) => net.Server;

net.Server.prototype.listen = function (this: net.Server, ...args: unknown[]) {
  const [options] = args;
  if (typeof options !== 'object' || options === null || !(options as net.ListenOptions).reusePort)
    return listen.apply(this, args);
  const error = Object.assign(new Error('bind ENOTSUP'), { code: 'ENOTSUP', syscall: 'bind' });
  process.nextTick(() => this.emit('error', error));
  return this;
} as typeof net.Server.prototype.listen;
