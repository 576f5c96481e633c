import type { Caller } from '../contracts/caller.ts';
import { bulkActionWorkflowId } from '../contracts/ids.ts';

/** Where things are: paths within the API, and URLs of the Temporal Web UI. */
export class Links {
  readonly #temporalUi: string;

  /**
   * @param temporalUiUrl base URL of the Temporal Web UI, without a slash at its end
   * @param namespace the Temporal namespace of the workflows
   */
  constructor(temporalUiUrl: string, namespace: string) {
    this.#temporalUi = `${temporalUiUrl}/namespaces/${encodeURIComponent(namespace)}`;
  }

  /** @returns the page of a workflow in the Temporal Web UI. */
  workflow(workflowId: string): string {
    return `${this.#temporalUi}/workflows/${encodeURIComponent(workflowId)}`;
  }

  /** @returns the link to a run that its caller may look at: none for a customer, to whom it would only tell where Temporal is */
  runFor({ role }: Pick<Caller, 'role'>, workflowId: string): { workflow?: string } {
    return role === 'customer' ? {} : { workflow: this.workflow(workflowId) };
  }

  order(id: string) {
    const self = `/v1/orders/${id}`;
    return {
      self,
      saga: `${self}/saga`,
      events: `${self}/events`,
      cancel: `${self}/cancellation`,
      invoice: `${self}/invoice`,
    };
  }

  signup(id: string) {
    const self = `/v1/signups/${id}`;
    return { self, verification: `${self}/verification`, subscription: `${self}/subscription` };
  }

  failure(id: string, workflowId: string, orderId: string | null) {
    const base = `/v1/ops/failures/${id}`;
    return {
      self: base,
      retry: `${base}/retry`,
      cancel: `${base}/cancel`,
      settlement: `${base}/settlement`,
      reset: `${base}/reset`,
      fix: `${base}/fix`,
      requeue: `${base}/requeue`,
      order: orderId && `/v1/orders/${orderId}`,
      workflow: this.workflow(workflowId),
    };
  }

  bulkAction(id: string) {
    const self = `/v1/ops/bulk-actions/${id}`;
    return {
      self,
      items: `${self}/items`,
      events: `${self}/events`,
      pause: `${self}/pause`,
      resume: `${self}/resume`,
      cancel: `${self}/cancel`,
      workflow: this.workflow(bulkActionWorkflowId(id)),
    };
  }

  schedule(id: string) {
    const self = `/v1/ops/schedules/${id}`;
    return {
      pause: `${self}/pause`,
      resume: `${self}/resume`,
      run: `${self}/run`,
      backfill: `${self}/backfill`,
      temporal: `${this.#temporalUi}/schedules/${encodeURIComponent(id)}`,
    };
  }
}
