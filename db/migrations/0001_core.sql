-- Core: schemas, the columns that every table has, identifiers and text
-- folding, the audit trail, state machines as data, permissions as data,
-- counters, the outbox, and the few reference tables that the core reads.
--
-- dudao  tables of the domain, what the API shows
-- app    the machinery: definitions, functions, views
-- gen    functions written by app.refresh(); never edited by hand
-- ext    extensions

create schema dudao;
create schema app;
create schema gen;
create schema ext;

create extension pgcrypto with schema ext;
create extension btree_gist with schema ext;


-- Identifiers ---------------------------------------------------------------

-- UUID version 7 (RFC 9562, section 5.7, method 3 of 6.2): 48 bits of
-- milliseconds, 12 bits of their fraction, so that rows of one transaction
-- sort in the order in which they were made; the rest is random. PL/pgSQL,
-- here and wherever a function cannot be inlined: its plan stays with the
-- connection, that of an SQL function is made anew in every transaction.
create function app.uuid_v7() returns uuid
language plpgsql volatile parallel safe
as $$
declare
    micros constant bigint := extract(epoch from clock_timestamp()) * 1000000;
begin
    return encode(
        substring(int8send((micros / 1000) << 16) from 1 for 6)
        || substring(int8send(28672 + ((micros % 1000) * 4096 / 1000)) from 7)
        || substring(uuid_send(gen_random_uuid()) from 9), 'hex')::uuid;
end
$$;



-- Text search ---------------------------------------------------------------

-- The characters in which traditional and simplified script differ, both
-- lists in the same order. The policy document mixes the two (0.4-9).
create function app.simplified(input text) returns text
language sql immutable parallel safe
as $$
    select case
        when input !~ '[丟並乾亂亞佈佔併來侖侶侷係俠俬倆倉個們倖倣倫偉側偵偽傑傘備傢傭傳債傷傾僅僇僑僕僥僱價儀億儈儉儘償優儲兇兌兒內兩冊冪凈凍凜凱別刪則剋剎剛剝剮創剷劃劇劉劊劍劑勁動務勛勝勞勢勳勵勸勻匯區協卹卻厭厲參叢吳吶呂員唸問啓啞啟喚喨喪喫喬單喲嗆嗎嗚嘆嘔嘗嘩嘯噓噴噸噹嚇嚐嚙嚥嚨嚮嚴囂囑囓囪囯國圍園圓圖團埰執堅堯報場塊塗塢塵塹墊墜墮墳墾壇壓壘壞壟壩壯壺壽夠夢夾奧奪奮妝姦姪娛婁婦媽嬌嬰嬸孃孫學孿宮寢實寧審寫寬寵寶將專尋對導屆屍屜屢層屬岡峯島峽崑崗崙嶄嶺嶼嶽巋巒巖帥師帳帶幀幟幣幫幹幾庫廁廂廄廈廚廟廠廢廣廬廳弔張強彆彈彌彎彙彥彿後徑從復徵徹恆恥悅悶悽惡惱愛慄慇態慘慚慣慫慮慶慼慾憂憊憐憑憚憤憫憲憶懃懇應懞懮懲懶懷懸懼懾戀戰戲戶拋挾捨捲掃掄掙掛採揀揚換揮搆損搖搗搥搧搨搶搾摀摟摯摳摻撈撐撓撚撢撣撥撫撲撻撾撿擁擄擇擊擋擔據擠擣擬擯擰擱擲擴擺擻擾攆攏攔攙攜攝攢攣攤攪攬敎敗敘敵數斂斃斬斷於昇時晉晝暈暢暫曆曉曏曠曬書會東枒柵桿條棄棗棟棧棲楊楓業極榖榮構槍槓槳樁樂樑樓標樞樣樸樹橋機橢橫檔檢檯檸檻櫃櫥櫻欄權欽歎歐歛歡歲歷歸殘殲殺殼毀毆毬氈氣氫氾汎汙決沒沖況洩洶涼淒淚淨淪淵淺渙減渦測渾湊湧湯準溝溫溼滄滅滌滬滯滲滷滾滿漁漚漢漣漬漲漸漿潑潔潛潤潰澀澆澇澗澤澱濁濃濕濘濟濤濫濬濰濱濺濾瀉瀋瀕瀝瀰瀾灑灕灘灣灤災為烏烴無煉煙煥煩熒熱熾燄燈燐燒燙營燦燬燭燴燻燼燿爍爐爛爭爲爺爾牀牆牋牽犢犧狀狹狽猙猶獃獄獅獎獨獰獲獵獸獺獻現琺瑣瑤瑩瑪瑯環瓊甕產産畝畢畫異當疇疊痙痠瘋瘍瘓瘡瘧療癒癟癡癢癥癬癰癱發皁皚皺盃盜盞盡監盤盧盪眞眾睏睜瞇瞞瞭矚矯砲硯碩確碼磚礎礙礦礫礬祇祕祿禍禦禮禱禿稅稈稜種稱穀積穎穢穩穫窩窪窮窯窺竄竅竊競筆筍箇箋節範築篩簍簡簽簾籃籌籐籠籤籬籮籲粵糞糧糰糾紀約紅紉紋納紐純紗紙級紛紡紮細紳紹終絃組絆結絕絛絞絡絢給絨統絲絹綁綏綑經綜綠綢綫維綱網綴綵綸綻綽綿緊緒緘線緝緞締緣編緩緬緯練緻縛縣縫縮縱縴縷總績繃織繕繞繡繩繪繫繭繳繹繼續纍纏纓纔纖纜缽罈罣罰罵罷羅羣羨義習翫翹聖聞聯聰聲聳聶職聽聾肅脅脈脣脫脹腎腦腫腳腸膚膠膩膽膿臉臍臘臟臥臨臺與興舉舊舖艙艦艱艷茲荊荳莊莖莢華萊萬葉葦葯葷蒐蒼蓆蓋蓮蔔蔣蔥蔭蕩蕪蕭薊薑薔薦薩藍藝藥藷藹蘆蘇蘊蘋蘭蘿處虛虜號虧蛻蝕蝦蝨蝸螞螢蟄蟬蟲蟻蠅蠍蠟蠱蠶蠻衊術衚衛衝衞裏補裝裡製複褲襖襪襯襲覈見規覓視親覺覽觀觸訂訃計訊討訓訖託記訛訝訟訣訪設許訴診註証詐評詛詞詠詢詣試詩詫詭話該詳誅誇誌認誕誘語誠誡誣誤誦誨說説誰課誹誼調諄談請諒論諜諧諱諷諸諺諾謀謂謄謅謊謎謗謙講謝謠謬謹謾譁證譏識譚譜譟譯議譴護譽讀變讒讓讕讚豈豎豐豔豬貍貓貝貞負財貢貧貨販貪貫責貯貳貴貶買貸費貼貿賀賂賃賄資賈賊賒賓賜賞賠賢賣賤賦質賬賭賴賸賺購賽贅贈贊贍贏贓贖贛趕趙趨跡跼踐踰踴蹟蹤蹧躊躍躥軀車軋軌軍軒軟軸較載輓輔輕輛輝輥輩輪輯輸輻輾輿轄轅轉轍轎轝轟辦辭辮辯農迴這連週進遊運過達違遙遜遞遠適遯遲遷選遺遼邁還邊邏郵鄉鄒鄖鄧鄭鄰鄲醜醞醫醬醼釀釁釋釐釘針釣釦釩鈉鈍鈔鈕鈞鈣鈴鈾鉀鉑鉗鉚鉛鉤鉸鉻銀銅銑銘銜銥銲銳銷銻鋁鋅鋇鋒鋤鋪鋸鋼錄錐錘錠錢錦錨錫錯錳錶鍊鍋鍍鍘鍛鍬鍵鍺鍾鎂鎊鎖鎗鎚鎢鎬鎮鎳鏈鏟鏡鏽鐐鐘鐮鐳鐵鑄鑑鑒鑰鑲鑷鑼鑽鑿長門閃閉開閏閑閒間閘閡閣閥閨閩閱閹閻闆闇闊闌闖關闡闢阨陝陞陣陰陳陸陽隄隊階隕際隨險隱隴隸隻雖雙雛雜雞離難雲電霑霧靈靜鞏韋韌韓韻響頁頂頃項順須頌預頑頒頓頗領頤頭頰頸頹頻顆題額顏願顛類顧顫顯顱顴風颱颳飄飛飢飯飲飼飽飾餃餅養餌餒餓餘餞餡館餬餵餽餾饅饋饑饒饞馬馭馮馱馳馴駁駐駒駕駛駝駭駱駿騁騎騙騰騷騾驅驕驗驚驟驢骯髒體髮鬆鬍鬚鬥鬧鬨鬱魚魯鮑鮮鯉鯨鰓鱉鱗鳥鳳鳴鴉鴕鴛鴦鴨鴻鴿鵑鵝鵬鵲鶴鷗鷹鹵鹹鹼鹽麗麤麥麵麼黃點黨黴鼕齊齋齒齡齣齧齲龍龐龔龜]' then input
        else translate(input,
        '丟並乾亂亞佈佔併來侖侶侷係俠俬倆倉個們倖倣倫偉側偵偽傑傘備傢傭傳債傷傾僅僇僑僕僥僱價儀億儈儉儘償優儲兇兌兒內兩冊冪凈凍凜'
        '凱別刪則剋剎剛剝剮創剷劃劇劉劊劍劑勁動務勛勝勞勢勳勵勸勻匯區協卹卻厭厲參叢吳吶呂員唸問啓啞啟喚喨喪喫喬單喲嗆嗎嗚嘆嘔嘗嘩'
        '嘯噓噴噸噹嚇嚐嚙嚥嚨嚮嚴囂囑囓囪囯國圍園圓圖團埰執堅堯報場塊塗塢塵塹墊墜墮墳墾壇壓壘壞壟壩壯壺壽夠夢夾奧奪奮妝姦姪娛婁婦'
        '媽嬌嬰嬸孃孫學孿宮寢實寧審寫寬寵寶將專尋對導屆屍屜屢層屬岡峯島峽崑崗崙嶄嶺嶼嶽巋巒巖帥師帳帶幀幟幣幫幹幾庫廁廂廄廈廚廟廠'
        '廢廣廬廳弔張強彆彈彌彎彙彥彿後徑從復徵徹恆恥悅悶悽惡惱愛慄慇態慘慚慣慫慮慶慼慾憂憊憐憑憚憤憫憲憶懃懇應懞懮懲懶懷懸懼懾戀'
        '戰戲戶拋挾捨捲掃掄掙掛採揀揚換揮搆損搖搗搥搧搨搶搾摀摟摯摳摻撈撐撓撚撢撣撥撫撲撻撾撿擁擄擇擊擋擔據擠擣擬擯擰擱擲擴擺擻擾'
        '攆攏攔攙攜攝攢攣攤攪攬敎敗敘敵數斂斃斬斷於昇時晉晝暈暢暫曆曉曏曠曬書會東枒柵桿條棄棗棟棧棲楊楓業極榖榮構槍槓槳樁樂樑樓標'
        '樞樣樸樹橋機橢橫檔檢檯檸檻櫃櫥櫻欄權欽歎歐歛歡歲歷歸殘殲殺殼毀毆毬氈氣氫氾汎汙決沒沖況洩洶涼淒淚淨淪淵淺渙減渦測渾湊湧湯'
        '準溝溫溼滄滅滌滬滯滲滷滾滿漁漚漢漣漬漲漸漿潑潔潛潤潰澀澆澇澗澤澱濁濃濕濘濟濤濫濬濰濱濺濾瀉瀋瀕瀝瀰瀾灑灕灘灣灤災為烏烴無'
        '煉煙煥煩熒熱熾燄燈燐燒燙營燦燬燭燴燻燼燿爍爐爛爭爲爺爾牀牆牋牽犢犧狀狹狽猙猶獃獄獅獎獨獰獲獵獸獺獻現琺瑣瑤瑩瑪瑯環瓊甕產'
        '産畝畢畫異當疇疊痙痠瘋瘍瘓瘡瘧療癒癟癡癢癥癬癰癱發皁皚皺盃盜盞盡監盤盧盪眞眾睏睜瞇瞞瞭矚矯砲硯碩確碼磚礎礙礦礫礬祇祕祿禍'
        '禦禮禱禿稅稈稜種稱穀積穎穢穩穫窩窪窮窯窺竄竅竊競筆筍箇箋節範築篩簍簡簽簾籃籌籐籠籤籬籮籲粵糞糧糰糾紀約紅紉紋納紐純紗紙級'
        '紛紡紮細紳紹終絃組絆結絕絛絞絡絢給絨統絲絹綁綏綑經綜綠綢綫維綱網綴綵綸綻綽綿緊緒緘線緝緞締緣編緩緬緯練緻縛縣縫縮縱縴縷總'
        '績繃織繕繞繡繩繪繫繭繳繹繼續纍纏纓纔纖纜缽罈罣罰罵罷羅羣羨義習翫翹聖聞聯聰聲聳聶職聽聾肅脅脈脣脫脹腎腦腫腳腸膚膠膩膽膿臉'
        '臍臘臟臥臨臺與興舉舊舖艙艦艱艷茲荊荳莊莖莢華萊萬葉葦葯葷蒐蒼蓆蓋蓮蔔蔣蔥蔭蕩蕪蕭薊薑薔薦薩藍藝藥藷藹蘆蘇蘊蘋蘭蘿處虛虜號'
        '虧蛻蝕蝦蝨蝸螞螢蟄蟬蟲蟻蠅蠍蠟蠱蠶蠻衊術衚衛衝衞裏補裝裡製複褲襖襪襯襲覈見規覓視親覺覽觀觸訂訃計訊討訓訖託記訛訝訟訣訪設'
        '許訴診註証詐評詛詞詠詢詣試詩詫詭話該詳誅誇誌認誕誘語誠誡誣誤誦誨說説誰課誹誼調諄談請諒論諜諧諱諷諸諺諾謀謂謄謅謊謎謗謙講'
        '謝謠謬謹謾譁證譏識譚譜譟譯議譴護譽讀變讒讓讕讚豈豎豐豔豬貍貓貝貞負財貢貧貨販貪貫責貯貳貴貶買貸費貼貿賀賂賃賄資賈賊賒賓賜'
        '賞賠賢賣賤賦質賬賭賴賸賺購賽贅贈贊贍贏贓贖贛趕趙趨跡跼踐踰踴蹟蹤蹧躊躍躥軀車軋軌軍軒軟軸較載輓輔輕輛輝輥輩輪輯輸輻輾輿轄'
        '轅轉轍轎轝轟辦辭辮辯農迴這連週進遊運過達違遙遜遞遠適遯遲遷選遺遼邁還邊邏郵鄉鄒鄖鄧鄭鄰鄲醜醞醫醬醼釀釁釋釐釘針釣釦釩鈉鈍'
        '鈔鈕鈞鈣鈴鈾鉀鉑鉗鉚鉛鉤鉸鉻銀銅銑銘銜銥銲銳銷銻鋁鋅鋇鋒鋤鋪鋸鋼錄錐錘錠錢錦錨錫錯錳錶鍊鍋鍍鍘鍛鍬鍵鍺鍾鎂鎊鎖鎗鎚鎢鎬鎮'
        '鎳鏈鏟鏡鏽鐐鐘鐮鐳鐵鑄鑑鑒鑰鑲鑷鑼鑽鑿長門閃閉開閏閑閒間閘閡閣閥閨閩閱閹閻闆闇闊闌闖關闡闢阨陝陞陣陰陳陸陽隄隊階隕際隨險'
        '隱隴隸隻雖雙雛雜雞離難雲電霑霧靈靜鞏韋韌韓韻響頁頂頃項順須頌預頑頒頓頗領頤頭頰頸頹頻顆題額顏願顛類顧顫顯顱顴風颱颳飄飛飢'
        '飯飲飼飽飾餃餅養餌餒餓餘餞餡館餬餵餽餾饅饋饑饒饞馬馭馮馱馳馴駁駐駒駕駛駝駭駱駿騁騎騙騰騷騾驅驕驗驚驟驢骯髒體髮鬆鬍鬚鬥鬧'
        '鬨鬱魚魯鮑鮮鯉鯨鰓鱉鱗鳥鳳鳴鴉鴕鴛鴦鴨鴻鴿鵑鵝鵬鵲鶴鷗鷹鹵鹹鹼鹽麗麤麥麵麼黃點黨黴鼕齊齋齒齡齣齧齲龍龐龔龜',
        '丢并干乱亚布占并来仑侣局系侠私俩仓个们幸仿伦伟侧侦伪杰伞备家佣传债伤倾仅戮侨仆侥雇价仪亿侩俭尽偿优储凶兑儿内两册幂净冻凛'
        '凯别删则克刹刚剥剐创铲划剧刘刽剑剂劲动务勋胜劳势勋励劝匀汇区协恤却厌厉参丛吴呐吕员念问启哑启唤亮丧吃乔单哟呛吗呜叹呕尝哗'
        '啸嘘喷吨当吓尝啮咽咙向严嚣嘱啮囱国国围园圆图团采执坚尧报场块涂坞尘堑垫坠堕坟垦坛压垒坏垄坝壮壶寿够梦夹奥夺奋妆奸侄娱娄妇'
        '妈娇婴婶娘孙学孪宫寝实宁审写宽宠宝将专寻对导届尸屉屡层属冈峰岛峡昆岗仑崭岭屿岳岿峦岩帅师帐带帧帜币帮干几库厕厢厩厦厨庙厂'
        '废广庐厅吊张强别弹弥弯汇彦佛后径从复征彻恒耻悦闷凄恶恼爱栗殷态惨惭惯怂虑庆戚欲忧惫怜凭惮愤悯宪忆勤恳应蒙忧惩懒怀悬惧慑恋'
        '战戏户抛挟舍卷扫抡挣挂采拣扬换挥构损摇捣捶扇拓抢榨捂搂挚抠掺捞撑挠捻掸掸拨抚扑挞挝捡拥掳择击挡担据挤捣拟摈拧搁掷扩摆擞扰'
        '撵拢拦搀携摄攒挛摊搅揽教败叙敌数敛毙斩断于升时晋昼晕畅暂历晓向旷晒书会东丫栅杆条弃枣栋栈栖杨枫业极谷荣构枪杠桨桩乐梁楼标'
        '枢样朴树桥机椭横档检台柠槛柜橱樱栏权钦叹欧敛欢岁历归残歼杀壳毁殴球毡气氢泛泛污决没冲况泄汹凉凄泪净沦渊浅涣减涡测浑凑涌汤'
        '准沟温湿沧灭涤沪滞渗卤滚满渔沤汉涟渍涨渐浆泼洁潜润溃涩浇涝涧泽淀浊浓湿泞济涛滥浚潍滨溅滤泻沈濒沥弥澜洒漓滩湾滦灾为乌烃无'
        '炼烟焕烦荧热炽焰灯磷烧烫营灿毁烛烩熏烬耀烁炉烂争为爷尔床墙笺牵犊牺状狭狈狰犹呆狱狮奖独狞获猎兽獭献现珐琐瑶莹玛琅环琼瓮产'
        '产亩毕画异当畴叠痉酸疯疡痪疮疟疗愈瘪痴痒症癣痈瘫发皂皑皱杯盗盏尽监盘卢荡真众困睁眯瞒了瞩矫炮砚硕确码砖础碍矿砾矾只秘禄祸'
        '御礼祷秃税秆棱种称谷积颖秽稳获窝洼穷窑窥窜窍窃竞笔笋个笺节范筑筛篓简签帘篮筹藤笼签篱箩吁粤粪粮团纠纪约红纫纹纳纽纯纱纸级'
        '纷纺扎细绅绍终弦组绊结绝绦绞络绚给绒统丝绢绑绥捆经综绿绸线维纲网缀彩纶绽绰绵紧绪缄线缉缎缔缘编缓缅纬练致缚县缝缩纵纤缕总'
        '绩绷织缮绕绣绳绘系茧缴绎继续累缠缨才纤缆钵坛挂罚骂罢罗群羡义习玩翘圣闻联聪声耸聂职听聋肃胁脉唇脱胀肾脑肿脚肠肤胶腻胆脓脸'
        '脐腊脏卧临台与兴举旧铺舱舰艰艳兹荆豆庄茎荚华莱万叶苇药荤搜苍席盖莲卜蒋葱荫荡芜萧蓟姜蔷荐萨蓝艺药薯蔼芦苏蕴苹兰萝处虚虏号'
        '亏蜕蚀虾虱蜗蚂萤蛰蝉虫蚁蝇蝎蜡蛊蚕蛮蔑术胡卫冲卫里补装里制复裤袄袜衬袭核见规觅视亲觉览观触订讣计讯讨训讫托记讹讶讼诀访设'
        '许诉诊注证诈评诅词咏询诣试诗诧诡话该详诛夸志认诞诱语诚诫诬误诵诲说说谁课诽谊调谆谈请谅论谍谐讳讽诸谚诺谋谓誊诌谎谜谤谦讲'
        '谢谣谬谨谩哗证讥识谭谱噪译议谴护誉读变谗让谰赞岂竖丰艳猪狸猫贝贞负财贡贫货贩贪贯责贮贰贵贬买贷费贴贸贺赂赁贿资贾贼赊宾赐'
        '赏赔贤卖贱赋质账赌赖剩赚购赛赘赠赞赡赢赃赎赣赶赵趋迹局践逾踊迹踪糟踌跃蹿躯车轧轨军轩软轴较载挽辅轻辆辉辊辈轮辑输辐辗舆辖'
        '辕转辙轿舆轰办辞辫辩农回这连周进游运过达违遥逊递远适遁迟迁选遗辽迈还边逻邮乡邹郧邓郑邻郸丑酝医酱宴酿衅释厘钉针钓扣钒钠钝'
        '钞钮钧钙铃铀钾铂钳铆铅钩铰铬银铜铣铭衔铱焊锐销锑铝锌钡锋锄铺锯钢录锥锤锭钱锦锚锡错锰表炼锅镀铡锻锹键锗钟镁镑锁枪锤钨镐镇'
        '镍链铲镜锈镣钟镰镭铁铸鉴鉴钥镶镊锣钻凿长门闪闭开闰闲闲间闸阂阁阀闺闽阅阉阎板暗阔阑闯关阐辟厄陕升阵阴陈陆阳堤队阶陨际随险'
        '隐陇隶只虽双雏杂鸡离难云电沾雾灵静巩韦韧韩韵响页顶顷项顺须颂预顽颁顿颇领颐头颊颈颓频颗题额颜愿颠类顾颤显颅颧风台刮飘飞饥'
        '饭饮饲饱饰饺饼养饵馁饿余饯馅馆糊喂馈馏馒馈饥饶馋马驭冯驮驰驯驳驻驹驾驶驼骇骆骏骋骑骗腾骚骡驱骄验惊骤驴肮脏体发松胡须斗闹'
        '哄郁鱼鲁鲍鲜鲤鲸鳃鳖鳞鸟凤鸣鸦鸵鸳鸯鸭鸿鸽鹃鹅鹏鹊鹤鸥鹰卤咸碱盐丽粗麦面么黄点党霉冬齐斋齿龄出啮龋龙庞龚龟')
        end
$$;

-- The distinct pairs of neighbouring characters of a text, folded and in
-- lower case; a word of one character stays as it is. A search for a text of
-- two or more characters is then "contains all pairs of", served by GIN.
create function app.bigrams(input text) returns text[]
language plpgsql immutable parallel safe
as $$
declare
    word text;
    result text[] := '{}';
begin
    foreach word in array regexp_split_to_array(lower(app.simplified(input)),
        '[\s!-/:-@\[-`{-~\u00a0-\u00bf\u2000-\u206f\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+')
    loop
        if length(word) = 1 then
            result := result || word;
        else
            result := result || array(
                select substr(word, place, 2)
                from generate_series(1, length(word) - 1) as place);
        end if;
    end loop;
    -- null for what holds no word: as a search it finds nothing, not all
    return nullif(array(select distinct pair from unnest(result) as pair order by pair), '{}');
end
$$;


-- Columns that every table has (0.4-3) --------------------------------------

create table app.record (
    id          uuid        primary key default app.uuid_v7(),
    version     integer     not null default 1,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    created_by  uuid,
    updated_by  uuid,
    is_demo     boolean     not null default false
);
comment on table app.record is 'template: create table x (like app.record including all, …)';

-- A legal record is never deleted, only voided with a reason (3.0).
create table app.legal (
    voided_at   timestamptz,
    voided_by   uuid,
    void_reason text,
    constraint legal_void_check check
        ((voided_at is null) = (void_reason is null))
);
comment on table app.legal is 'template for legal records, beside app.record';


-- Types of the interface between functions ----------------------------------

create type app.fault as (
    code        text,
    pointer     text,
    params      jsonb,
    rule_id     text,
    clause_id   text
);

create type app.answer as (
    status      integer,
    location    text,
    etag        text,
    body        text
);


-- Definitions: what the machinery works from ---------------------------------

create table app.resources (
    resource            text primary key,
    permission_group    text not null,
    is_machine          boolean not null default false,
    is_legal            boolean not null default false,
    is_deletable        boolean not null default false,
    is_audited          boolean not null default true,
    read_only           text[] not null default '{}',
    hidden              text[] not null default '{}',
    editable_in         text[]
);
comment on column app.resources.read_only is 'columns that a client may never set';
comment on column app.resources.hidden is 'columns that the API role can neither read nor write';
comment on column app.resources.editable_in is 'states in which a patch is allowed; null: all';

create table app.permissions (
    permission_group    text not null,
    role                text not null,
    operations          text not null check (operations ~ '^R?W?T?$' and operations <> ''),
    scope               text not null,
    note                text,
    primary key (permission_group, role, operations, scope)
);
comment on table app.permissions is 'domain/4-roles.md 4.3, one row per part of a cell';

create table app.scope_predicates (
    resource    text not null,
    scope       text not null,
    predicate   text not null,
    primary key (resource, scope)
);

create table app.row_rules (
    resource    text not null,
    name        text not null,
    expression  text not null,
    pointer     text,
    code        text not null,
    rule_id     text,
    clause_id   text,
    params      text,
    primary key (resource, name)
);

create table app.enumerations (
    name        text not null,
    value       text not null,
    label_zh    text not null,
    label_en    text not null,
    sort        integer not null default 0,
    primary key (name, value)
);

create table app.workflow_machines (
    resource    text primary key,
    label_zh    text not null,
    label_en    text not null,
    section     text
);

create table app.workflow_states (
    resource    text not null references app.workflow_machines on delete cascade,
    state       text not null,
    label_zh    text not null,
    label_en    text not null,
    is_initial  boolean not null default false,
    is_final    boolean not null default false,
    sort        integer not null default 0,
    primary key (resource, state)
);

create table app.workflow_actions (
    resource        text not null,
    action          text not null,
    from_state      text not null,
    to_state        text not null,
    roles           text[] not null default '{}',
    label_zh        text not null,
    label_en        text not null,
    rule_id         text,
    clause_id       text,
    needs_reason    boolean not null default false,
    is_system       boolean not null default false,
    sort            integer not null default 0,
    primary key (resource, action, from_state),
    foreign key (resource, from_state) references app.workflow_states on delete cascade,
    foreign key (resource, to_state) references app.workflow_states on delete cascade
);

-- Roles that one person may not hold together (4.1).
create table app.incompatible_roles (
    role            text not null,
    other_role      text not null,
    same_unit_only  boolean not null default false,
    primary key (role, other_role)
);


-- Counters -------------------------------------------------------------------

-- Document numbers are gap-free (0.4-7): the row stays locked until the
-- transaction that took the number ends.
create table app.doc_counters (
    prefix  text not null,
    year    integer not null,
    n       integer not null,
    primary key (prefix, year)
);


-- What a request leaves behind -----------------------------------------------

create table app.idempotency_keys (
    user_id         uuid not null,
    key             text not null,
    operation       text not null,
    request_hash    text not null,
    created_at      timestamptz not null default now(),
    status          integer,
    location        text,
    etag            text,
    body            text,
    primary key (user_id, key)
);
create index idempotency_keys_created_at on app.idempotency_keys (created_at);
comment on column app.idempotency_keys.user_id is 'all zeros for anonymous requests';

-- A create that carried the client's own id: the same again is no error.
create table app.client_creations (
    resource    text not null,
    id          uuid not null,
    body_sha256 bytea not null,
    primary key (resource, id)
);

create table app.login_attempts (
    login           text primary key,
    failures        integer not null default 0,
    window_from     timestamptz not null default now(),
    locked_until    timestamptz,
    locks           integer not null default 0,
    updated_at      timestamptz not null default now()
);
comment on table app.login_attempts is 'by login as typed, so that unknown logins are treated alike';


-- Audit trail ----------------------------------------------------------------

-- Append-only, also for the owner. prev_hash and hash chain the entries of one
-- subject: a changed or missing entry in between shows, and writers of
-- different subjects do not wait for each other.
create table dudao.audit_logs (
    id              uuid primary key default app.uuid_v7(),
    seq             bigint generated always as identity,
    at              timestamptz not null,
    user_id         uuid,
    role            text,
    on_behalf_of    uuid,
    organization_id uuid,
    ip              text,
    action          text not null,
    subject_type    text not null,
    subject_id      uuid not null,
    before          jsonb,
    after           jsonb,
    result          text not null default 'ok',
    request_id      text,
    database_role   text not null,
    prev_hash       bytea,
    hash            bytea not null
);
create index audit_logs_subject on dudao.audit_logs (subject_type, subject_id, seq desc);
create index audit_logs_user on dudao.audit_logs (user_id, at desc);
create index audit_logs_at on dudao.audit_logs (at desc, id);

create function app.forbid_change() returns trigger
language plpgsql
as $$
begin
    raise exception using errcode = 'DD403', message = 'append-only',
        detail = '{"code": "append-only"}';
end
$$;

create trigger append_only before update or delete on dudao.audit_logs
    for each row execute function app.forbid_change();
create trigger append_only_truncate before truncate on dudao.audit_logs
    for each statement execute function app.forbid_change();

-- Every step of every state machine: actor, time, comment, data.
create table dudao.transitions (
    id              uuid primary key default app.uuid_v7(),
    subject_type    text not null,
    subject_id      uuid not null,
    action          text not null,
    from_state      text not null,
    to_state        text not null,
    actor           uuid,
    role            text not null,
    on_behalf_of    uuid,
    at              timestamptz not null,
    comment         text,
    data            jsonb not null default '{}'
);
create index transitions_subject on dudao.transitions (subject_type, subject_id, at, id);
create trigger append_only before update or delete on dudao.transitions
    for each row execute function app.forbid_change();
create trigger append_only_truncate before truncate on dudao.transitions
    for each statement execute function app.forbid_change();


-- Effects of a step ----------------------------------------------------------

create table dudao.deadlines (
    id              uuid primary key default app.uuid_v7(),
    subject_type    text not null,
    subject_id      uuid not null,
    kind            text not null,
    due_on          date not null,
    met_on          date,
    created_at      timestamptz not null default now(),
    updated_at      timestamptz not null default now()
);
create unique index deadlines_open on dudao.deadlines (subject_type, subject_id, kind)
    where met_on is null;
create index deadlines_due on dudao.deadlines (due_on) where met_on is null;

create table dudao.notifications (
    like app.record including all,
    recipient_user_id   uuid not null,
    kind                text not null,
    title               text not null,
    body                text not null,
    subject_type        text not null,
    subject_id          uuid not null,
    due_at              timestamptz,
    read_at             timestamptz,
    channel             text not null default 'in_app'
        check (channel in ('in_app', 'sms', 'wechat')),
    dedupe_key          text not null unique
);
create index notifications_recipient on dudao.notifications
    (recipient_user_id, created_at desc, id desc);
create index notifications_unread on dudao.notifications (recipient_user_id)
    where read_at is null;

-- The proof that something was sent (2.1). organizations, persons and
-- attachments follow in later migrations, which add those foreign keys.
create table dudao.dispatches (
    like app.record including all,
    subject_type                text not null,
    subject_id                  uuid not null,
    purpose                     text not null check (purpose in
        ('deliver_report', 'report', 'circulate', 'filing', 'feedback',
         'serve', 'circular', 'inform', 'recommend')),
    recipient_organization_id   uuid,
    recipient_person_id         uuid,
    recipient_role              text not null check (recipient_role in
        ('party_committee', 'government', 'superior_supervision',
         'superior_department', 'member_unit', 'supervised_unit',
         'org_personnel', 'performance_body', 'person')),
    channel                     text not null default 'system' check (channel in
        ('system', 'official_document_exchange', 'platform_exchange', 'mail',
         'in_person', 'sms')),
    doc_no                      text,
    attachment_id               uuid,
    due_on                      date,
    sent_at                     timestamptz,
    received_at                 timestamptz,
    receipt_by                  text,
    receipt_note                text,
    state                       text not null default 'planned' check (state in
        ('planned', 'sent', 'received', 'returned', 'void')),
    constraint dispatches_recipient_check check
        (num_nonnulls(recipient_organization_id, recipient_person_id) = 1),
    constraint dispatches_received_at_check check (received_at >= sent_at),
    constraint dispatches_subject_key unique nulls not distinct
        (subject_type, subject_id, purpose, recipient_organization_id,
         recipient_person_id, recipient_role)
);
create index dispatches_recipient on dudao.dispatches
    (recipient_organization_id, state, created_at desc);
create index dispatches_due on dudao.dispatches (due_on) where state = 'planned';

-- Outbox and inbox towards the superior platforms (8.3).
create table dudao.exchange_messages (
    like app.record including all,
    message_uid         uuid not null unique default app.uuid_v7(),
    direction           text not null check (direction in ('out', 'in')),
    peer                text not null check (peer in
        ('municipal_platform', 'provincial_platform')),
    type                text not null,
    op                  text not null check (op in ('upsert', 'withdraw', 'event')),
    subject_type        text,
    subject_id          uuid,
    business_key        text not null,
    revision            integer not null,
    idempotency_key     text not null unique,
    payload_sha256      text not null,
    payload             jsonb not null,
    schema_version      text not null default '1.0',
    correlation_uid     uuid,
    priority            text not null default 'normal' check (priority in ('normal', 'urgent')),
    attempts            integer not null default 0,
    next_attempt_at     timestamptz,
    sent_at             timestamptz,
    acked_at            timestamptz,
    peer_receipt_no     text,
    error_code          text,
    error_text          text,
    state               text not null check (state in
        ('pending', 'sending', 'sent', 'acknowledged', 'rejected', 'failed',
         'dead', 'superseded', 'received', 'applied', 'refused')),
    unique (direction, peer, type, business_key, revision)
);
create index exchange_messages_due on dudao.exchange_messages (next_attempt_at)
    where direction = 'out' and state in ('pending', 'failed');
create index exchange_messages_subject on dudao.exchange_messages (subject_type, subject_id);


-- Reference tables that the core reads ---------------------------------------

-- Working days (0.4-5). A day without a row is a working day from Monday to
-- Friday.
create table dudao.calendar_days (
    like app.record including all,
    day         date not null unique,
    is_workday  boolean not null,
    note        text
);

create table dudao.rule_parameters (
    like app.record including all,
    key             text not null unique check (key ~ '^[a-z][a-z0-9_]*$'),
    value           jsonb not null,
    unit            text,
    basis           text,
    basis_clause    text,
    valid_from      date not null default '2022-01-01',
    changed_reason  text not null check (changed_reason <> '')
);

-- Every value that a parameter ever had; app.parameter() falls back on it
-- while the newest value is not yet valid.
create table dudao.rule_parameter_values (
    id              uuid primary key default app.uuid_v7(),
    key             text not null,
    value           jsonb not null,
    unit            text,
    basis           text,
    basis_clause    text,
    valid_from      date not null,
    changed_reason  text not null,
    changed_by      uuid,
    changed_at      timestamptz not null default now()
);
create index rule_parameter_values_key on dudao.rule_parameter_values
    (key, valid_from desc, changed_at desc);

create function app.keep_parameter_value() returns trigger
language plpgsql security definer
as $$
begin
    insert into dudao.rule_parameter_values(key, value, unit, basis,
        basis_clause, valid_from, changed_reason, changed_by)
    values (new.key, new.value, new.unit, new.basis, new.basis_clause,
        new.valid_from, new.changed_reason, new.updated_by);
    return null;
end
$$;

create trigger keep_value after insert or update on dudao.rule_parameters
    for each row execute function app.keep_parameter_value();

insert into dudao.rule_parameters(key, value, unit, basis, changed_reason) values
    ('login_max_failures', '5', 'count', 'project default', 'initial'),
    ('login_window_minutes', '15', 'minutes', 'project default', 'initial'),
    ('login_lock_seconds', '[60, 300, 900, 3600]', 'seconds', 'project default: first, second, … lock', 'initial'),
    ('session_days', '30', 'days', 'project default', 'initial'),
    ('refresh_token_days', '7', 'days', 'project default', 'initial');
