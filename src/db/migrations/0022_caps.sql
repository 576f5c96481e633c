ALTER TABLE "emails" ALTER COLUMN "subject" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "emails" ADD COLUMN "status" text DEFAULT 'sent' NOT NULL;--> statement-breakpoint
CREATE INDEX "emails_capped" ON "emails" USING btree (lower("recipient"),"sent_at") WHERE status = 'sent' and template in ('order_cancelled', 'order_failed', 'verification', 'verification_reminder');--> statement-breakpoint
CREATE INDEX "orders_declined" ON "orders" USING btree (lower("customer_email"),"updated_at") WHERE failure_type = 'card_declined';--> statement-breakpoint
ALTER TABLE "emails" ADD CONSTRAINT "emails_status" CHECK (status in ('sent', 'suppressed'));--> statement-breakpoint
ALTER TABLE "emails" ADD CONSTRAINT "emails_subject" CHECK (status = 'suppressed' or subject is not null);