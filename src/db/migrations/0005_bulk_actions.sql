ALTER TABLE "replay_items" RENAME TO "bulk_action_items";--> statement-breakpoint
ALTER TABLE "replays" RENAME TO "bulk_actions";--> statement-breakpoint
ALTER TABLE "failures" RENAME COLUMN "replay_id" TO "bulk_action_id";--> statement-breakpoint
ALTER TABLE "bulk_action_items" RENAME COLUMN "replay_id" TO "bulk_action_id";--> statement-breakpoint
ALTER TABLE "bulk_action_items" RENAME CONSTRAINT "replay_items_state" TO "bulk_action_items_state";--> statement-breakpoint
ALTER TABLE "bulk_actions" RENAME CONSTRAINT "replays_state" TO "bulk_actions_state";--> statement-breakpoint
ALTER TABLE "bulk_action_items" RENAME CONSTRAINT "replay_items_replay_id_replays_id_fk" TO "bulk_action_items_bulk_action_id_bulk_actions_id_fk";--> statement-breakpoint
ALTER TABLE "bulk_action_items" RENAME CONSTRAINT "replay_items_order_id_orders_id_fk" TO "bulk_action_items_order_id_orders_id_fk";--> statement-breakpoint
ALTER TABLE "bulk_action_items" RENAME CONSTRAINT "replay_items_failure_id_failures_id_fk" TO "bulk_action_items_failure_id_failures_id_fk";--> statement-breakpoint
ALTER TABLE "bulk_action_items" RENAME CONSTRAINT "replay_items_replay_id_position_pk" TO "bulk_action_items_bulk_action_id_position_pk";--> statement-breakpoint
ALTER INDEX "replay_items_once" RENAME TO "bulk_action_items_once";--> statement-breakpoint
ALTER INDEX "replay_items_pending" RENAME TO "bulk_action_items_pending";--> statement-breakpoint
ALTER TABLE "bulk_actions" DROP CONSTRAINT "replays_action";--> statement-breakpoint
UPDATE "bulk_actions" SET "action" = 'restart', "request" = jsonb_set("request", '{action}', '"restart"') WHERE "action" = 'replay';--> statement-breakpoint
UPDATE "failure_events" SET "type" = 'restart_requested' WHERE "type" = 'replay_requested';--> statement-breakpoint
UPDATE "operator_actions" SET "action" = CASE "action"
	WHEN 'replay_order' THEN 'restart_order'
	WHEN 'bulk_replay' THEN 'bulk_restart'
	WHEN 'bulk_replay_paused' THEN 'pause_bulk_action'
	WHEN 'bulk_replay_running' THEN 'resume_bulk_action'
	WHEN 'bulk_replay_cancelled' THEN 'cancel_bulk_action'
	END WHERE "action" IN ('replay_order', 'bulk_replay', 'bulk_replay_paused', 'bulk_replay_running', 'bulk_replay_cancelled');--> statement-breakpoint
ALTER TABLE "bulk_actions" ADD CONSTRAINT "bulk_actions_action" CHECK (action in ('retry', 'cancel', 'restart'));
