import { once } from 'node:events';
import type { WarehouseGateway } from '../../src/gateways/warehouse.ts';

/** A warehouse whose answers to requests for a shipment are on their way until they are let go. */
export interface HeldWarehouse {
  gateway: WarehouseGateway;
  /** Resolves once it has accepted a shipment. */
  accepted: Promise<unknown>;
  letGo: () => void;
}

/** @returns the warehouse behind a gateway, with its answers held. A slow one would answer before a slow test is ready */
export function holdAnswersOf(warehouse: WarehouseGateway): HeldWarehouse {
  const [accepting, lettingGo] = [new AbortController(), new AbortController()];
  const gone = once(lettingGo.signal, 'abort');
  return {
    gateway: {
      ...warehouse,
      async requestShipment(...request) {
        const answer = await warehouse.requestShipment(...request);
        accepting.abort();
        await gone;
        return answer;
      },
    },
    accepted: once(accepting.signal, 'abort'),
    letGo: () => lettingGo.abort(),
  };
}
