// Another process that looks for free ports: prints this many.
import { freePorts } from '../../src/sandbox/ports.ts';

const [count = '1'] = process.argv.slice(2);
console.log(JSON.stringify(await freePorts(Number(count))));
