/** Imported early: without a listener, SIGUSR1 makes Node open its debugger, which could read card messages. */

process.on('SIGUSR1', () => {});

export {};
