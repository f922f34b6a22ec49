/* One due step between two engines, two senders and an agent, with crashes and zombies.
 *
 * What the database does in one transaction is one atomic block here; everything between two
 * blocks may be interleaved, and any engine or sender may die or be frozen there. A frozen one
 * comes to itself after the server has ended its session, or after its lease has run out: that is
 * the zombie. Each defence can be taken away with -D…, and the checker must then find the fault:
 *
 *   -DNO_UNIQUE_KEY   a firing's key may exist twice
 *   -DNO_ROW_LOCK     an engine decides without holding the ticket
 *   -DNO_SESSION_END  a session that the server has ended may still commit
 *   -DNO_ACK_LOCK     acknowledging does not wait for the ticket
 *   -DNO_LEASE_FENCE  a sender marks a message whoever holds the lease by now
 *   -DNO_RECLAIM      a lease that ran out is never taken over
 *
 * With -DNO_AGENT nobody acknowledges: it shows that the key alone keeps a second firing out.
 */

#define ENGINES 2
#define SENDERS 2
#define NOBODY  255

byte lock_holder = NOBODY;   /* who holds the ticket's row; the agent is number ENGINES */
bool session[ENGINES];       /* whether the server still knows the engine's transaction */
bool acknowledged = false;
byte firings = 0;            /* committed firings of the step */
byte epoch = 0;              /* the run's: counts committed evaluations */

mtype = { NONE, QUEUED, LEASED, SENT, WITHDRAWN };
mtype message = NONE;
byte lease = 0;              /* the lease's epoch */
byte physical = 0;           /* sends that reached the provider */
byte interrupted = 0;        /* sends whose mark never came, or came too late */
byte accepted = 0;           /* what the provider counts, by the idempotency key */
byte faults = 2;             /* how many more processes may die or freeze */

active [ENGINES] proctype Engine()
{
    byte seen;
    do
    :: (firings > 0 || acknowledged) -> break
    :: else ->
#ifdef NO_ROW_LOCK
       atomic { session[_pid] = true; seen = epoch }
#else
       atomic { lock_holder == NOBODY || firings > 0 || acknowledged ->
                if
                :: (firings > 0 || acknowledged) -> goto done
                :: else -> lock_holder = _pid; session[_pid] = true; seen = epoch
                fi }
#endif
       bool wants = (!acknowledged && firings == 0);
       if
       :: skip
       :: atomic { faults > 0 -> faults--; session[_pid] = false;  /* killed: the server rolls back */
                   if :: lock_holder == _pid -> lock_holder = NOBODY :: else fi; wants = false }
       :: atomic { faults > 0 -> faults--; session[_pid] = false;  /* frozen: it wakes up below */
                   if :: lock_holder == _pid -> lock_holder = NOBODY :: else fi }
       fi;
       atomic {
           if
#ifdef NO_SESSION_END
           :: wants ->
#else
           :: wants && session[_pid] && seen == epoch ->
#endif
#ifndef NO_UNIQUE_KEY
              if
              :: firings > 0 -> skip                                /* refused by the key */
              :: else ->
#endif
                 assert(!acknowledged);                             /* I5 */
                 firings++; epoch++;
                 message = QUEUED;                                  /* I6: one transaction */
#ifndef NO_UNIQUE_KEY
              fi
#endif
           :: else
           fi;
           assert(firings <= 1);                                    /* I2 */
           session[_pid] = false;
           if :: lock_holder == _pid -> lock_holder = NOBODY :: else fi
       }
    od;
done: skip
}

active proctype Agent()
{
    if
    :: skip                                                         /* nobody acknowledges */
#ifndef NO_AGENT
    :: true ->
#ifndef NO_ACK_LOCK
       atomic { lock_holder == NOBODY -> lock_holder = ENGINES };
#endif
       atomic {
           acknowledged = true;
           if :: message == QUEUED -> message = WITHDRAWN :: else fi;
           if :: lock_holder == ENGINES -> lock_holder = NOBODY :: else fi
       }
#endif
    fi
}

active [SENDERS] proctype Sender()
{
    byte mine;
    bool alive;
    do
    :: atomic { message == QUEUED -> message = LEASED; lease++; mine = lease }; alive = true;
       if
       :: skip
       :: atomic { faults > 0 -> faults--; interrupted++; alive = false } /* dies before the send */
       fi;
       if
       :: alive ->
          atomic { physical++; if :: accepted == 0 -> accepted = 1 :: else fi };
          if
          :: skip
          :: atomic { faults > 0 -> faults--; interrupted++; alive = false } /* after send, before mark */
          :: atomic { faults > 0 && message == LEASED && lease == mine ->     /* frozen past its lease */
                      faults--; interrupted++; message = QUEUED }
          fi
       :: else
       fi;
       if
       :: alive ->
          atomic {
              if
#ifdef NO_LEASE_FENCE
              :: true ->
                 assert(message == LEASED && lease == mine); message = SENT
#else
              :: message == LEASED && lease == mine -> message = SENT
#endif
              :: else
              fi
          }
#ifndef NO_RECLAIM
       :: else ->
          atomic { if :: message == LEASED && lease == mine -> message = QUEUED :: else fi }
#else
       :: else
#endif
       fi;
       assert(physical <= 1 + interrupted);                         /* I9 */
       assert(accepted <= 1)                                        /* I8 */
    :: message == SENT || message == WITHDRAWN -> break
    :: acknowledged && firings == 0 -> break
    od
}

/* I1 and I7: the step fires or somebody acknowledged; and its message does not stay half sent. */
ltl decided   { <> (firings == 1 || acknowledged) }
ltl delivered { [] (message == QUEUED -> <> (message == SENT || message == WITHDRAWN)) }
