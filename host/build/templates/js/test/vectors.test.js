import { cases } from './countersign.js';

cases('acme-plugin.wasm');
