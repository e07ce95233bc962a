/*
 * share.h -- connections spread evenly over the workers: every worker
 * listens, the emptier one accepts (Kore's accept lock would fill one worker
 * before the next gets any).
 */
#ifndef DUDAO_IO_SHARE_H
#define DUDAO_IO_SHARE_H

void share_parent(void); /* once, in the parent, before fork */
void share_worker(void); /* in kore_worker_configure() */
void share_stop(void);	 /* drain: accept no more */

#endif
