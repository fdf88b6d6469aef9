/** Imported first: Node would open its inspector on SIGUSR1, a debugger in front of card messages. */

process.on('SIGUSR1', () => {});

export {};
