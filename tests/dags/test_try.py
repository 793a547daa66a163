import time
def test_try(runs, world):
    t=time.time()
    r=runs.run("sync_accounting"); print("run", time.time()-t)
    print(runs.states("sync_accounting", r)); print(runs.labels("sync_accounting", r))
    print(world.writes(), world.documents())
    from collections import Counter
    print(Counter(world.outcomes().values()))
    b=world.books()
    t=time.time()
    r2=runs.run("sync_accounting"); print("run", time.time()-t)
    print(runs.state("sync_accounting", r2), runs.states("sync_accounting", r2)); print(runs.labels("sync_accounting", r2))
    assert world.books()==b
    for k,v in b.items():
        if v>1: print(k,v)
    t=time.time(); world.lock(None)
    runs.clear("sync_accounting", r, ("to_do",0)); print(time.time()-t)
    print(runs.work("sync_accounting", r)); print("run", time.time()-t)
    print(runs.states("sync_accounting", r)); print(runs.labels("sync_accounting", r))
    assert 0
